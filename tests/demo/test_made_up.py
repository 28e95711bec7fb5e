"""The made-up traffic in data/demo."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from lectr_lab.analysis.scan import scan
from lectr_lab.analysis.views.data_gaps import streams_without_usage
from lectr_lab.analysis.views.health import latency
from lectr_lab.analysis.views.spend import spend
from lectr_lab.analysis.views.summary import summary, totals, totals_text
from lectr_lab.dashboards import page
from lectr_lab.demo import made_up
from lectr_lab.log.schema import polars_schema

FOLDER = Path(__file__).parents[2] / "data/demo"


@pytest.fixture(scope="module")
def log():
    return scan(FOLDER)


@pytest.fixture(scope="module")
def total(log):
    return totals(log).collect().row(0, named=True)


def test_the_committed_parts_are_what_the_generator_makes(tmp_path):
    """Byte for byte, from the seed."""
    made = made_up.write(tmp_path)

    assert [p.name for p in made] == sorted(p.name for p in FOLDER.glob("*.parquet"))
    for part in made:
        assert part.read_bytes() == (FOLDER / part.name).read_bytes()


def test_it_is_small_and_says_that_it_is_made_up(log):
    """At most a megabyte; in the org's name and in the README."""
    size = sum(path.stat().st_size for path in FOLDER.iterdir())

    assert size <= 1_000_000
    assert log.select(pl.col("org").unique()).collect()["org"].to_list() == [
        "made-up-data"
    ]
    assert "Nobody sent these requests" in (FOLDER / "README.md").read_text("utf-8")


def test_another_seed_is_other_traffic():
    """The seed decides, and nothing else does."""
    one, same, other = (made_up.events(seed, requests=200) for seed in (1, 1, 2))

    assert one == same
    assert one != other


def test_it_is_a_log_like_any_other(log, total):
    """All columns, four weeks, each id once, five providers."""
    rows = log.collect()

    assert rows.columns[: len(polars_schema())] == list(polars_schema())
    assert rows["event_id"].n_unique() == rows.height == total["requests"]
    assert rows["provider"].n_unique() == 5
    assert total["last_at"] - total["first_at"] > timedelta(days=27)


def test_everything_counted_has_a_price(total):
    """Today's models, at list prices; streams without usage are estimated."""
    assert total["unpriced"] == 0
    assert total["estimated"] > 1000
    assert total["uncounted"] < 0.02 * total["requests"]


def test_shares_are_as_they_are_said_to_be(total):
    """About 15 % untagged; failures as in the traces."""
    assert total["untagged_of_requests"] == pytest.approx(0.15, abs=0.015)
    assert 0.015 < total["error_rate"] < 0.05


def test_the_dear_day_and_the_slow_days_are_there(log):
    """What the README says happens can be found."""
    agent = log.filter(pl.col("feature") == "coding-agent")
    days = spend(agent, None, every="1d").collect()
    qa = log.filter(pl.col("feature") == "document-qa")
    slow = latency(qa, None, every="1d").collect().sort("total_p50_ms")

    top = days.sort("spend_usd")[-1]
    assert f"{top['time'].item():%m-%d}" == "11-17"
    assert top["spend_usd"].item() > 3 * days["spend_usd"].median()
    assert {f"{t:%m-%d}" for t in slow["time"].tail(3)} == {"11-09", "11-10", "11-11"}


def test_streams_without_usage_are_named(log):
    """The onboarding assistant's alone, tagged or not."""
    found = streams_without_usage(log).collect()

    assert found["feature"].to_list() == ["onboarding-assistant", "untagged"]


def test_tokens_are_spread_as_in_their_trace():
    """Median of support-chat's prompts: that of Azure's conversations, 1,033."""
    made = [e for e in made_up.events() if e.feature == "support-chat"]
    prompts = pl.Series([e.input_tokens for e in made if e.input_tokens])

    assert prompts.median() == pytest.approx(1033, rel=0.05)
    assert prompts.log().std() == pytest.approx(0.97, abs=0.05)


def test_every_view_works_on_it(log):
    """A row per feature, and shares that add up."""
    found = summary(log, ["feature", "task", "provider"]).collect()

    assert found.height == 14
    assert found["share_of_spend"].sum() == pytest.approx(1)


def test_it_is_said_to_be_made_up_wherever_it_is_shown(log, total):
    """On the page, and in the words of a report."""
    assert '"whose":"made-up-data"' in page(log)
    assert "of made-up-data" in totals_text(total)


def test_agents_run_in_sessions_whose_columns_agree(log):
    """Each begins with a first prompt; what the cache gave is never more than was kept,
    nor was given after its time; the prompt is the sum of its parts."""
    rows = log.filter(pl.col("client") == "claude-code").collect()
    answered = rows.filter(pl.col("input_tokens").is_not_null())
    parts = pl.col("cache_read_tokens") + pl.col("cache_write_tokens")
    main = rows.filter(pl.col("turn_kind") == "main").sort("started_at")
    firsts = main.group_by("session").agg(pl.col("prefix_break").first())

    assert 50 < rows["session"].n_unique() < 150
    assert rows["user"].n_unique() == 7 and rows["session"].null_count() == 0
    assert set(firsts["prefix_break"]) == {"first"}
    assert answered.filter(parts > pl.col("input_tokens")).height == 0
    late = (pl.col("idle_s") > 300) & (pl.col("cache_read_tokens") > 0)
    assert answered.filter(late).height == 0
    kept = pl.col("prefix_kept_chars").fill_null(0) < 4 * pl.col("cache_read_tokens")
    assert answered.filter(kept).height == 0


def test_the_clock_in_the_system_prompt_is_there(log):
    """While it ticks, nearly no turn after the first has a prompt that was kept."""
    main = log.filter(pl.col("turn_kind") == "main").collect()
    ticking = pl.col("started_at").is_between(*made_up.CLOCK, "left")
    breaks = main.filter(ticking)["prefix_break"].value_counts()

    assert set(breaks["prefix_break"]) <= {"first", "system"}
    assert "system" not in main.filter(~ticking)["prefix_break"]


def test_customers_are_named_where_a_product_has_them(log):
    """The first of them asks most."""
    chat = log.filter(pl.col("feature") == "support-chat").collect()

    assert chat["user"].null_count() == 0
    assert chat["user"].value_counts(sort=True)["user"][0] == "customer-01"

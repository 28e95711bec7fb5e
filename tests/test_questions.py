"""What people ask of a log, each answered in three lines at most, with public names alone.

The questions are those that a user with a bill asked (and the lines what they may write);
the answers are held to plain polars.
"""

import ast
from pathlib import Path

import polars as pl
import pytest

import lectr_lab as lectr
from lectr_lab.analysis.log import Log

LOG = lectr.demo_log()
ROWS = LOG.collect()
FAILED = pl.col("outcome") == "provider_error"
RETRIED = (pl.col("retry_count") > 0).fill_null(False) | pl.col(
    "retry_of_failed"
).fill_null(False)

QUESTIONS = {
    "what does each feature cost a week": """
found = lectr.spend(log, every="1w")
lectr.spend_bars(found)""",
    "who is the dearest user": """
found = lectr.spend(log, by="user")""",
    "what is the p95 to the first token, per model and hour": """
found = lectr.latency(log, by="model", every="1h")
lectr.latency_ranges(found, "ttft")""",
    "what changed on the dearest day": """
day = lectr.spend(log, by=None, every="1d").collect().sort("spend_usd")["time"][-1].date()
found = lectr.compare(log, after=day)""",
    "what does a session cost": """
found = lectr.sessions(log, by="client")""",
    "how much of the input does the cache have, and what does that save": """
found = lectr.cache_savings(log)""",
    "how many tokens a second does each provider write": """
found = lectr.latency(log, by="provider")""",
    "what kinds of errors are there, over time": """
found = lectr.errors(log, by="error_type", every="1w")
lectr.error_rates(found)""",
    "what do retries cost": """
found = lectr.cost_of_retries(log)""",
    "what do failures cost": """
found = lectr.cost_of_failures(log)""",
    "which ten requests are the dearest": """
found = lectr.dearest(log, 10)""",
    "how much names no feature, by caller": """
found = lectr.spend(lectr.select(log, feature="untagged"), by="client")""",
    "how does this week compare with the last": """
found = lectr.compare(log)
lectr.compare_bars(found)""",
    "what if all of it had gone to one model": """
target = lectr.RuleTarget(model="gpt-4.1-mini")
found = lectr.simulate(log, lectr.Rule(name="one", priority=1, then=target))""",
    "what will this month cost": """
found = lectr.forecast(log)""",
    "may I have that chart as a picture": """
lectr.spend_bars(lectr.spend(log)).save("spend.png")
lectr.spend_bars(lectr.spend(log)).save("spend.svg")""",
    "which requests are behind that bar": """
found = lectr.select(log, feature="coding-agent", since="2026-11-17..2026-11-17")""",
}


def answered(question: str) -> object:
    """What the lines leave in `found`, with views collected."""
    names: dict[str, object] = {"lectr": lectr, "log": LOG}
    exec(QUESTIONS[question], names)  # noqa: S102 - the lines above
    found = names.get("found")
    return found.collect() if isinstance(found, Log | pl.LazyFrame) else found


@pytest.mark.parametrize("question", QUESTIONS)
def test_three_lines_with_public_names_will_do(question):
    """Whatever follows `lectr.` is found by completion; nothing is imported."""
    tree = ast.parse(QUESTIONS[question])
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "lectr"
    }

    assert len(QUESTIONS[question].strip().splitlines()) <= 3
    assert used and used <= {*dir(lectr)}
    assert not any(isinstance(n, ast.Import | ast.ImportFrom) for n in ast.walk(tree))


def usd(rows: pl.DataFrame) -> float:
    return rows["cost_usd"].sum()


def test_a_week_of_a_feature():
    """By the calendar's weeks, from Monday."""
    found = answered("what does each feature cost a week")

    week = pl.col("started_at").dt.truncate("1w").alias("time")
    plain = (
        ROWS.filter(pl.col("feature") == "coding-agent")
        .group_by(week)
        .agg(pl.col("cost_usd").sum())
    )
    mine = found.filter(pl.col("feature") == "coding-agent")
    assert mine["spend_usd"].to_list() == pytest.approx(
        plain.sort("time")["cost_usd"].to_list()
    )


def test_the_dearest_user():
    """Who was named; those without a name are one group."""
    found = answered("who is the dearest user").filter(pl.col("user") != "no user")

    plain = (
        ROWS.drop_nulls("user")
        .group_by("user")
        .agg(pl.col("cost_usd").sum())
        .sort("cost_usd")
    )
    assert found.row(0, named=True)["user"] == plain["user"][-1]
    assert found["spend_usd"][0] == pytest.approx(plain["cost_usd"][-1])


def test_the_first_token_by_hour():
    """Of requests that succeeded."""
    found = answered("what is the p95 to the first token, per model and hour")
    [row] = found.sort("ttft_n").tail(1).to_dicts()

    hour = pl.col("started_at").dt.truncate("1h") == row["time"]
    mine = ROWS.filter(
        hour, pl.col("model_actual") == row["model"], pl.col("outcome") == "ok"
    )
    assert row["ttft_p95_ms"] == pytest.approx(mine["ttft_ms"].quantile(0.95, "linear"))


def test_the_dearest_day():
    """Its spend less that of the day before, and what made it sums to that."""
    found = answered("what changed on the dearest day")

    days = ROWS.group_by(pl.col("started_at").dt.date()).agg(pl.col("cost_usd").sum())
    by_day = dict(days.iter_rows())
    top = max(by_day, key=by_day.__getitem__)
    total = found.total()
    assert found.after.first.date() == top
    assert total["after_usd"] == pytest.approx(by_day[top])
    parts = sum(usd for name, usd in total.items() if name.startswith("from_"))
    assert parts == pytest.approx(total["change_usd"], abs=1e-9)
    assert "coding-agent" in found.in_short()


def test_a_session():
    """On average, over those that a client named."""
    found = answered("what does a session cost").filter(
        pl.col("client") == "claude-code"
    )

    mine = ROWS.filter(
        pl.col("client") == "claude-code", pl.col("session").is_not_null()
    )
    plain = mine.group_by("session").agg(pl.col("cost_usd").sum())
    assert found["mean_usd"].item() == pytest.approx(plain["cost_usd"].mean())


def test_the_cache():
    """Its part of the input; and dollars, which are above 0."""
    found = answered(
        "how much of the input does the cache have, and what does that save"
    )

    part = ROWS["cache_read_tokens"].sum() / ROWS["input_tokens"].sum()
    assert found["hit_rate"].item() == pytest.approx(part)
    assert found["saved_usd"].item() > 20


def test_tokens_a_second():
    """A row for each provider, with a figure."""
    found = answered("how many tokens a second does each provider write")

    assert {*found["provider"]} == {*ROWS["provider"]}
    assert found["output_tokens_per_s"].min() > 0


def test_kinds_of_errors():
    """How many, of how many."""
    found = answered("what kinds of errors are there, over time")

    plain = ROWS.filter(FAILED)["error_type"].value_counts()
    sums = found.group_by("error_type").agg(pl.col("errors").sum())
    assert dict(sums.iter_rows()) == dict(plain.iter_rows())
    assert found.group_by("time").agg(pl.col("requests").first())[
        "requests"
    ].sum() == len(ROWS)


def test_retries_and_failures():
    """What was billed for them."""
    retries = answered("what do retries cost")
    failures = answered("what do failures cost")

    assert retries["spend_usd"].item() == pytest.approx(usd(ROWS.filter(RETRIED)))
    assert failures["spend_usd"].sum() == pytest.approx(
        usd(ROWS.filter(pl.col("outcome") != "ok"))
    )


def test_the_ten_dearest():
    """The same costs."""
    found = answered("which ten requests are the dearest")

    assert (
        found["cost_usd"].to_list()
        == ROWS["cost_usd"].drop_nulls().top_k(10).sort(descending=True).to_list()
    )


def test_what_names_no_feature():
    """By the program that sent it."""
    found = answered("how much names no feature, by caller")

    assert found["requests"].sum() == ROWS["feature"].null_count()
    assert found["spend_usd"].sum() == pytest.approx(
        usd(ROWS.filter(pl.col("feature").is_null()))
    )


def test_this_week_and_the_last():
    """In a sentence with its dollars."""
    found = answered("how does this week compare with the last")

    assert found.in_short().startswith(
        "Spend rose by $5.99 (+35 %): from $17.04 to $23.02"
    )


def test_one_model():
    """What it cost, and what it would have."""
    found = answered("what if all of it had gone to one model")

    assert found.changed > 0 and "cost" in repr(found)


def test_this_month():
    """In a sentence, with its dollars."""
    found = answered("what will this month cost")

    assert repr(found).startswith("November 2026: $")


def test_a_picture(tmp_path: Path, monkeypatch):
    """Both kinds."""
    monkeypatch.chdir(tmp_path)
    answered("may I have that chart as a picture")

    assert (tmp_path / "spend.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "spend.svg").read_text()


def test_the_requests_behind_a_bar():
    """Rows of the log, each with its id."""
    found = answered("which requests are behind that bar")

    day = pl.col("started_at").dt.date() == pl.date(2026, 11, 17)
    assert found.height == ROWS.filter(day, pl.col("feature") == "coding-agent").height
    assert found["event_id"].null_count() == 0

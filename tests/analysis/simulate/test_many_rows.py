"""A log of many rows: its cells say what its rows say, and these what few rows say."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cell_logs import DAYS, lab_of, user_prices
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from lectr_lab.analysis import newest
from lectr_lab.analysis.scan import demo_log, scan
from lectr_lab.analysis.simulate import simulate
from lectr_lab.analysis.simulate.result import Simulation
from lectr_lab.analysis.views import percentiles
from lectr_lab.core.routing.rules import Conditions, Rule, RuleTarget
from lectr_lab.log.schema import frame

TARGETS = [
    *(RuleTarget(model=m) for m in ("gpt-4o-mini", "deepseek-chat", "nobody-knows")),
    RuleTarget(model="gpt-5.4"),  # tiers of length
    RuleTarget(model="sonar-pro", provider="perplexity"),  # so much a request
    RuleTarget(model="deepseek-chat", provider="azure"),  # by the time of day
    RuleTarget(model="google/gemini-2.5-flash", provider="openrouter"),
]
KEYED = ("perplexity", "azure", "openrouter")
rules = st.lists(
    st.builds(
        Rule,
        name=st.sampled_from("ab"),
        priority=st.just(1),
        then=st.sampled_from(TARGETS),
        when=st.builds(
            Conditions,
            feature=st.sampled_from([None, None, "chat", "untagged"]),
            task=st.sampled_from([None, None, "extraction"]),
            model=st.sampled_from([None, None, "gpt-4o*"]),
            user=st.sampled_from([None] * 6 + ["canary-user"]),
        ),
    ),
    min_size=1,
    max_size=2,
)
SELECTED = [{}, {"org": "acme"}, {"since": "2026-10-31T10:00:00.000001"}]
SELECTED += [{"model": "gpt-4o"}]
NO_SHRINK = (Phase.explicit, Phase.reuse, Phase.generate)  # a step takes seconds
LAW = settings(
    max_examples=8,
    deadline=None,
    phases=NO_SHRINK,
    suppress_health_check=[HealthCheck.too_slow],
)


def same(found: Simulation, expected: Simulation, *but: str) -> None:
    """All their figures, and what they take for granted."""
    order = found.moves.columns[:7]
    moves, others = (one.moves.sort(order) for one in (found, expected))
    assert_frame_equal(moves, others, rel_tol=1e-9)
    for name in {*Simulation.__struct_fields__} - {"moves", *but}:
        one, other = getattr(found, name), getattr(expected, name)
        if name.endswith("_month") and one is not None:
            one, other = (one[0], *one[1]), (other[0], *other[1])
        if name.endswith(("_usd", "_month")) and one is not None:
            other = pytest.approx(other, rel=1e-9, abs=1e-12)
        assert one == other, name


def law(seed, prices, wanted, selected) -> None:
    with TemporaryDirectory() as folder:
        log = scan(lab_of(Path(folder), seed, rows=400), prices)
        part = log.select(**selected) if selected else log
        found = simulate(part, wanted, keyed=KEYED, prices=prices)
        # Rows are priced once, for all that is asked of them.
        rows = part.lazy().collect()
        same(found, simulate(rows, wanted, keyed=KEYED, prices=prices))


@LAW
@given(st.integers(0, 2**32), user_prices, rules, st.sampled_from(SELECTED))
def test_cells_say_what_rows_say(seed, prices, wanted, selected):
    """Whatever the rules, of any part, at any prices."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(percentiles, "MOST_EXACT_ROWS", 0)
        patch.setattr(newest, "MOST_LOOKED_AT", 60)
        law(seed, prices, wanted, selected)


@pytest.fixture
def every_log_is_long(monkeypatch):
    """From the first row on; and all of it is looked at."""
    monkeypatch.setattr(percentiles, "MOST_EXACT_ROWS", 0)


ALL_TO_MINI = Rule(name="all", priority=1, then=RuleTarget(model="gpt-5.4-mini"))
BY_USER = Rule(
    name="user",
    priority=1,
    when=Conditions(user="canary-user"),
    then=RuleTarget(model="gpt-4o-mini"),
)


def test_a_long_log_says_what_it_says_row_by_row(monkeypatch):
    """Where no answer is taken to be longer, to the last digit but of percentiles."""
    when = Conditions(feature="report-writer")
    rule = Rule(name="r", priority=1, when=when, then=RuleTarget(model="gpt-5.4-mini"))
    exact = simulate(demo_log(), rule)
    monkeypatch.setattr(percentiles, "MOST_EXACT_ROWS", 0)

    found = simulate(demo_log(), rule)

    times = [
        name for name in found.moves.columns if name.endswith(("p50_ms", "p95_ms"))
    ]
    without = [*times, "percentiles"]
    assert_frame_equal(
        found.moves.drop(without), exact.moves.drop(without), rel_tol=1e-9
    )
    assert found.before_usd == exact.before_usd
    assert found.after_usd == pytest.approx(exact.after_usd, rel=1e-9)
    said = {*found.assumptions} - {*exact.assumptions}
    assert [one[:40] for one in said] == ["How long answers are, and how long they "]


def test_what_is_read(every_log_is_long, tmp_path):
    """Cells, and the newest rows; all rows where a rule asks who asked."""
    log = scan(lab_of(tmp_path, 3))

    assert "in cells; 0 rows. Rows from" in log.explain(simulate, ALL_TO_MINI)
    assert "All rows." in log.explain(simulate, BY_USER)
    assert simulate(log, BY_USER).changed > 0


def test_where_rules_had_changed_the_provider_rows_are_read(
    every_log_is_long, tmp_path, event
):
    """Cells do not say which provider had been asked."""
    folder = lab_of(tmp_path, 3)
    there = event(provider="anthropic", provider_requested="openai", started_at=DAYS[0])
    frame([there]).write_parquet(folder / "log" / "date=2026-10-30" / "9.parquet")
    log = scan(folder)

    assert "All rows." in log.explain(simulate, [])
    found = simulate(log, [])
    assert found.changed == 1
    same(found, simulate(log.lazy(), []))


@pytest.mark.slow
@settings(LAW, max_examples=20)
@given(st.integers(0, 2**32), user_prices, rules, st.sampled_from(SELECTED))
def test_many_logs_and_rules(seed, prices, wanted, selected):
    """The same law, further."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(percentiles, "MOST_EXACT_ROWS", 0)
        patch.setattr(newest, "MOST_LOOKED_AT", 60)
        law(seed, prices, wanted, selected)

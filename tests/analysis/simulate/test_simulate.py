"""Simulations: nothing moves unasked, costs add up, orgs stay apart, intervals cover."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.scan import demo_log
from lectr_lab.analysis.simulate import simulate
from lectr_lab.core.errors import ConfigError
from lectr_lab.core.routing.rules import Conditions, Rule, RuleTarget

START = datetime(2026, 11, 2, tzinfo=UTC)
BIG = {
    "model_requested": "gpt-4o",
    "model_sent": "gpt-4o",
    "model_actual": "gpt-4o-2024-08-06",
}
BIG_USD, MINI_USD = 0.0075, 0.00045  # of 1,000 tokens in and 500 out


def rule(target="gpt-4o-mini", provider=None, name="r", **when):
    then = RuleTarget(model=target, provider=provider)
    return Rule(name=name, priority=1, when=Conditions(**when), then=then)


def test_an_empty_log_simulates_to_nothing(log_of):
    """No request, no money, no month; and it can be shown."""
    found = simulate(priced(log_of([])), rule())

    assert (found.requests, found.changed, found.before_usd) == (0, 0, 0.0)
    assert found.saving_month is None
    assert "change none" in repr(found)


@pytest.mark.parametrize("rules", [(), rule(feature="other"), [rule(task="x")]])
def test_rules_that_match_nothing_change_nothing(rules, traffic):
    """Before is after, to the cent."""
    found = simulate(priced(traffic), rules)

    assert found.changed == 0
    assert found.after_usd == found.before_usd
    assert found.frame().is_empty()


def test_costs_before_and_after_are_those_of_each_request(log_of, event, failed):
    """One in each state: what was changed, judged, failed or not counted adds up."""
    uncounted = {"input_tokens": None, "output_tokens": None, **BIG}
    log = log_of(
        [event(**BIG), event(**uncounted), failed(**BIG), event(), event(**BIG)]
    )

    found = simulate(priced(log), rule())

    assert (found.requests, found.changed, found.judged) == (5, 4, 2)
    assert found.unjudged == (0, 0, 1, 1)
    assert found.before_usd == pytest.approx(2 * BIG_USD + MINI_USD)
    assert found.after_usd == pytest.approx(3 * MINI_USD)


def test_an_unpriced_target_is_counted_and_left(log_of, event):
    """Unknown is not free: the spend stays what it was."""
    found = simulate(priced(log_of([event(**BIG)] * 3)), rule("nobody-knows"))

    assert (found.changed, found.judged, found.unjudged.unpriced_after) == (3, 0, 3)
    assert found.after_usd == found.before_usd == pytest.approx(3 * BIG_USD)


def test_another_provider_needs_the_operators_key(log_of, event):
    """Without it, rows stay and are counted; with it, they move."""
    log = priced(log_of([event(**BIG)] * 2))
    there = rule("llama-3.1-8b-instant", "groq")

    without, with_key = simulate(log, there), simulate(log, there, keyed=("groq",))

    assert (without.changed, without.skipped) == (0, {"no_operator_key": 2})
    assert any("your own key" in said for said in without.assumptions)
    assert (with_key.changed, with_key.skipped) == (2, {})
    assert with_key.frame()["same_tokens"].to_list() == [False]


def test_orgs_stay_apart(log_of, event):
    """Two orgs' `chat` are two rows, each the same as if the other were not there."""
    mine = [event(org="a", feature="chat", **BIG)] * 3
    theirs = [event(org="b", feature="chat", **BIG)] * 5
    theirs += [event(org="b", feature="chat", total_ms=7.0)] * 40

    both = simulate(priced(log_of(mine + theirs)), rule()).frame()
    alone = simulate(priced(log_of(mine)), rule()).frame()

    assert sorted(both["org"]) == ["a", "b"]
    assert both.filter(pl.col("org") == "a").equals(alone, null_equal=True)


def test_a_rule_on_reasoning_is_obeyed_with_a_warning(log_of, event):
    """It is the user's own."""
    events = [event(task=task, **BIG) for task in ("reasoning", "Reasoning", None)]

    found = simulate(priced(log_of(events)), rule(name="bold"))

    assert found.changed == 3
    assert any("sends 2 requests" in said for said in found.assumptions)
    assert any("Warning" in said and "bold" in said for said in found.assumptions)


def test_calls_of_an_unknown_kind_stay_and_are_counted(log_of, event):
    """An import may not say it."""
    found = simulate(
        priced(log_of([event(operation=None, **BIG), event(**BIG)])), rule()
    )

    assert found.changed == 1
    assert any(said.startswith("1 requests do not say") for said in found.assumptions)


def test_under_a_week_there_is_no_monthly_figure(log_of, event):
    """Money is told; a month is not."""
    found = simulate(priced(log_of([event(**BIG)])), rule())

    assert found.saving_usd == pytest.approx(BIG_USD - MINI_USD)
    assert found.saving_month is None


def test_a_saving_a_month_is_thirty_of_its_days(log_of, event):
    """The same each day for two weeks: there is no doubt."""
    days = [event(started_at=START + timedelta(days=i), **BIG) for i in range(14)]

    found = simulate(priced(log_of(days)), rule())

    assert found.days == 14
    assert found.saving_month.mean_usd_month == pytest.approx(30 * (BIG_USD - MINI_USD))
    assert found.before_month.mean_usd_month == pytest.approx(30 * BIG_USD)
    assert found.frame()["saving_usd_month"].to_list() == pytest.approx(
        [found.saving_month.mean_usd_month]
    )


def test_rules_come_from_a_file_as_well(tmp_path, log_of, event):
    """As the proxy reads it; a file that is not there is said to be."""
    file = tmp_path / "rules.toml"
    file.write_text(
        '[[rules]]\nname = "r"\npriority = 1\nthen = { model = "gpt-4o-mini" }\n'
    )
    log = priced(log_of([event(**BIG)]))

    assert simulate(log, file).changed == simulate(log, str(file)).changed == 1
    with pytest.raises(ConfigError, match="There is no"):
        simulate(log, tmp_path / "none.toml")


def made_up(log_of, event, rng, days=14):
    """Two models answer one feature; the smaller writes 1.3 times as long an answer."""
    start = np.datetime64("2026-10-05T00:00:00", "us")
    base = log_of([event(feature="faq", **BIG), event(feature="faq")]).collect()
    volume = rng.poisson(12 * rng.lognormal(0, 0.35, days)) + 2
    n = int(volume.sum())
    at = start + np.repeat(np.arange(days), volume) * np.timedelta64(1, "D")
    at = at + (rng.random(n) * 86_400e6).astype("timedelta64[us]")
    small = rng.random(n) < 0.4
    output = 400 * rng.lognormal(-0.18, 0.6, n) * np.where(small, 1.3, 1.0)
    return base[small.astype(int).tolist()].with_columns(
        started_at=pl.Series(at).dt.replace_time_zone("UTC"),
        output_tokens=pl.Series(output.round().astype(int)),
    )


def test_many_rows_have_binned_percentiles(monkeypatch):
    """By the rule of every view, within 1 % of the lower rank; and the table says ≈."""
    asked = rule("gpt-5.4-mini", feature="report-writer")
    exact = simulate(demo_log(), asked)
    monkeypatch.setattr("lectr_lab.analysis.views.percentiles.MOST_EXACT_ROWS", 9)

    binned = simulate(demo_log(), asked)

    same = pl.exclude("^.*_p(50|95)_ms$", "percentiles")
    assert binned.moves.select(same).equals(exact.moves.select(same))
    assert binned.moves["before_p50_ms"].to_list() == pytest.approx(
        exact.moves["before_p50_ms"].to_list(), rel=0.05
    )
    assert "≈" in repr(binned) and "≈" not in repr(exact)


@pytest.mark.slow
def test_the_saving_covers_a_known_truth(log_of, event):
    """Volumes, lengths and their ratio are drawn: 90 % intervals cover 86 to 95 %."""
    rng, trials, covered = np.random.default_rng(7), 250, 0
    mean_a_day = (12 * np.exp(0.35**2 / 2) + 2) * 0.6
    each = (1000 * (2.5 - 0.15) + 400 * (10 - 1.3 * 0.6)) / 1e6
    truth = 30 * mean_a_day * each
    for _ in range(trials):
        log = priced(made_up(log_of, event, rng).lazy())
        low, high, _ = simulate(log, rule(model="gpt-4o")).saving_month.interval
        covered += low <= truth <= high

    assert 0.86 <= covered / trials <= 0.95

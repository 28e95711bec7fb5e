"""The datasheet of `odd`, small: stated rates are kept, and faults found."""

import odd_datasheet
import odd_labelled
import odd_naive
import odd_open_data
import polars as pl
import pytest
from odd_datasheet import measured, page
from odd_measure import Rate, counted, delays, with_fault
from odd_traffic import DAY, Fault, feature, moment

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def quiet():
    """A dozen features with nothing odd in two weeks, at each budget."""
    return {100.0: odd_datasheet.quiet(100.0, 12)}


def test_false_alarms_are_as_seldom_as_stated(quiet):
    """In 24 feature-weeks of made-up traffic: what is stated lies in the interval of what
    was found, or above it; and no feature has more than five incidents."""
    for budget, found in zip(odd_datasheet.BUDGETS, quiet[100.0], strict=True):
        rate = Rate(*found)
        assert rate.ends[0] <= budget
        assert rate.most <= 5


@pytest.mark.parametrize(
    ("kind", "size"),
    [("traffic", 3.0), ("traffic", 0.0), ("errors", 0.3), ("latency", 2.0)],
)
def test_large_faults_are_found_within_the_hour(kind, size):
    """At 100 requests an hour, four of five features at least."""
    drawn = [feature(9000 + n, 100.0) for n in range(5)]
    bases = [counted(what, 10) for what in drawn]
    faults = [Fault(kind, size, 9 * DAY + 97, 9 * DAY + 169)] * 5

    found = list(delays(drawn, bases, faults))

    assert sum(cells is not None and cells < 12 for cells in found) >= 4


def test_a_part_that_is_drawn_again_is_of_the_same_traffic():
    """A fault of size 1 is none: rates and lengths inside it are what they were."""
    what = feature(9000, 1000.0)
    base, fault = counted(what, 3), Fault("prompt", 1.0, 600, 672)

    again = with_fault(what, base, fault)

    for name, count in (("prompt_sum", "prompt_n"), ("latency_sum", "latency_n")):
        was, now = (
            c.filter(pl.col("at").is_between(moment(600), moment(671)))
            for c in (base.cells, again)
        )
        means = [c[name].sum() / c[count].sum() for c in (was, now)]
        assert means[0] == pytest.approx(means[1], abs=0.05)
        assert was[count].sum() == pytest.approx(now[count].sum(), rel=0.06)


def test_open_data_are_judged_as_the_page_says(shared):
    """Real clients with shuffled hours, and labelled series: the bars of the page."""
    found = odd_open_data.servegen(shared, 1.0, shuffles=1)
    told = odd_labelled.scores(shared)

    assert found.ends[0] <= 0.25
    assert told["nab"] >= 62
    assert told["f1"] >= 0.5


def test_the_page_has_a_row_for_each_fault(quiet):
    """And the table that `odd` shows has an entry for each budget."""
    power = {100.0: {name: [1, None] for _, _, name in odd_datasheet.FAULTS}}

    rules = {
        "alarms": dict.fromkeys(odd_naive.RULES, (3, 2.0, 2)),
        "power": {name: {"same hours": 0.25} for _, _, name in odd_datasheet.FAULTS},
    }

    text = page(quiet, power, {100.0: rules}, None)
    table = measured(quiet, None)

    for _, _, name in odd_datasheet.FAULTS:
        assert f"| {name} | 0.50 / 0.50 / " in text
        assert f"| {name} | 0.50 / 0.25 |" in text
    assert table.count("[[generated]]") == len(odd_datasheet.BUDGETS)


def test_usual_rules_cry_wolf_and_tuned_ones_do_not():
    """Each on traffic with nothing odd in it; an outage is found all the same."""
    drawn = [feature(9100 + n, 100.0) for n in range(5)]
    bases = [counted(what, 21) for what in drawn]
    every = [odd_naive.hours(base.cells, 21) for base in bases]
    fault = Fault("errors", 1.0, 18 * DAY + 97, 18 * DAY + 169)

    alarms = odd_naive.false_alarms(every, 14)
    limits = {"the week's hours": odd_naive.tuned(every, "the week's hours", 14)}
    found = odd_naive.power(drawn, bases, [fault] * 5, limits)

    assert all(rate.mean > 1 for rate in alarms.values())
    over = [
        (
            odd_naive.scores(shown, "the week's hours")
            > limits["the week's hours"][:, None]
        )
        for shown in every
    ]
    assert sum(odd_naive.runs(one[:, -14 * 24 :].any(0)) for one in over) <= 1
    assert found["the week's hours"] >= 0.8

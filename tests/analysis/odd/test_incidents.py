"""What is known of an incident."""

from datetime import timedelta

import pytest
from odd_traffic import DAY, Fault, moment

import lectr_lab as lectr
from lectr_lab.analysis.odd.split import FACTORS

FIRST, LAST = 8 * DAY + 96, 8 * DAY + 168
FACTOR = {
    "traffic": ("requests", 3.0),
    "price": ("price", 3.0),
    "prompt": ("prompt", 4.0),
    "answer": ("answer", 4.0),
    "cache": ("cache", 0.0),
    "new model": ("models", 1.0),
}


@pytest.mark.parametrize("kind", FACTOR)
def test_the_dollars_of_a_fault_are_its_factors(made_up, kind):
    """They add up, and most of the change is by what changed."""
    factor, size = FACTOR[kind]
    log = made_up(features=1, rate=200, fault=Fault(kind, size, FIRST, LAST))

    found = [i for i in lectr.odd(log) if moment(FIRST - 2) <= i.found < moment(LAST)]
    one = max(found, key=lambda one: abs(one.usd_over))

    assert one.series == ("made-up", "feature-0")
    assert sum(one.parts.values()) == pytest.approx(one.usd_over, rel=1e-9)
    assert set(one.parts) == set(FACTORS)
    others = [name for name in FACTORS if name not in ("requests", factor)]
    assert abs(one.parts[factor]) > 2 * max(abs(one.parts[name]) for name in others)
    assert abs(moment(FIRST) - one.onset) <= timedelta(minutes=30)
    assert abs(moment(LAST) - one.end) <= timedelta(minutes=30)


def test_an_incident_that_goes_on_has_no_end(made_up):
    """It has one once it is over."""
    log = made_up(features=1, fault=Fault("errors", 0.5, FIRST, LAST))

    going = lectr.odd(log, now=moment(FIRST + 24))
    over = lectr.odd(log, now=moment(LAST + 40))

    first = [one for one in going if one.found >= moment(FIRST)]
    last = [one for one in over if one.found >= moment(FIRST)]
    assert [one.end for one in first] == [None]
    assert "since 2026" in first[0].sentence
    assert last[-1].end is not None
    assert first[0].id == last[-1].id


def test_a_model_never_seen_and_a_note_are_said(made_up):
    """They are what else changed at that time."""
    log = made_up(features=1, fault=Fault("new model", 0.5, FIRST, LAST))
    noted = [(moment(FIRST - 3), "release 12"), (moment(100), "release 3")]

    [one] = [i for i in lectr.odd(log, noted=noted) if i.found >= moment(FIRST)]

    assert one.kind == "models"
    assert one.model == "model-new"
    assert one.changed[0] == "a model never seen before: model-new"
    assert one.changed[1].endswith("release 12")
    assert len(one.changed) == 2

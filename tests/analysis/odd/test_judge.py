"""From a log to its incidents."""

from datetime import timedelta

import polars as pl
import pytest
from odd_traffic import DAY, START, Fault, as_log, feature, moment, requests

import lectr_lab as lectr
from lectr_lab.core.errors import LabError
from lectr_lab.log.schema import frame

FIRST, LAST = 8 * DAY + 96, 8 * DAY + 168

FAULTS = {
    "traffic_high": ("traffic", 4.0),
    "traffic_low": ("traffic", 0.0),
    "unit_cost": ("price", 3.0),
    "errors": ("errors", 0.5),
    "latency": ("latency", 3.0),
    "prompt": ("prompt", 3.0),
    "answer": ("answer", 3.0),
    "cache": ("cache", 0.0),
    "models": ("new model", 0.3),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_found_as_what_it_is(made_up, kind):
    """Once, with its kind, within the hours that it lasted."""
    log = made_up(rate=120, fault=Fault(*FAULTS[kind], FIRST, LAST))

    found = [
        one
        for one in lectr.odd(log, budget=0.1)
        if one.series[1] == "feature-0" and moment(FIRST) <= one.found < moment(LAST)
    ]

    assert len(found) == 1
    assert kind in found[0].kinds


def test_errors_fire_from_a_past_without_one():
    """A feature that never failed, and then does."""
    what = feature(5, 60.0)._replace(failing=0.0)
    log = as_log(requests(what, 9 * DAY, Fault("errors", 0.2, FIRST, LAST)))

    [one] = [i for i in lectr.odd(log) if "errors" in i.kinds]

    assert one.expected == 0
    assert one.actual == pytest.approx(0.2, abs=0.08)


def test_one_request_of_a_new_model_is_nothing():
    """Nor are two, among few or many."""
    for rate in (5.0, 200.0):
        rows = requests(feature(6, rate)._replace(mix=(1.0,)), 9 * DAY)
        at = rows["started_at"].search_sorted(moment(FIRST))
        new = pl.int_range(pl.len()).is_between(at, at + 1)
        log = as_log(
            rows.with_columns(
                model_actual=pl.when(new)
                .then(pl.lit("other"))
                .otherwise("model_actual")
            )
        )

        assert [one for one in lectr.odd(log) if "models" in one.kinds] == []


def test_an_empty_log_one_row_and_one_day_have_nothing_odd(event, log_of):
    """Nothing is raised, and what cannot be known yet is said."""
    empty = frame([]).lazy().with_columns(cost_usd=pl.lit(None, pl.Float64))
    one = log_of([event()]).with_columns(cost_usd=pl.lit(0.01))
    day = as_log(requests(feature(1, 60.0), DAY))

    for log in (empty, one, day):
        found = lectr.odd(log)
        assert len(found) == 0
        assert found.incidents.is_empty()
        assert "48 hours" in found.stated
        assert "nothing" in found._repr_html_()


@pytest.mark.parametrize(
    "by", ["provider", "model", "client", "user", "session", "task"]
)
def test_any_column_can_be_a_series(made_up, by):
    """All of a log's rows are of one name where it has none."""
    fault = Fault("errors", 0.9, FIRST, LAST)
    log = made_up(features=1, fault=fault)

    found = lectr.odd(log, by=by)

    assert found.incidents.columns[1:3] == ["org", by]
    assert any("errors" in one.kinds for one in found)


def test_since_shows_what_had_not_ended_by_then(made_up):
    """And is judged by the same past."""
    log = made_up(fault=Fault("errors", 0.5, FIRST, LAST))
    whole = lectr.odd(log)

    lately = lectr.odd(log, since="24h")

    end = whole.looked.now - timedelta(hours=24)
    wanted = [one.id for one in whole if one.end is None or one.end > end]
    assert [one.id for one in lately] == wanted
    assert wanted


def test_what_cannot_be_followed_is_said(made_up):
    """With what to write."""
    log = made_up(features=1, days=1)

    with pytest.raises(LabError, match=r"The usual one is 0\.3"):
        lectr.odd(log, budget=0)
    with pytest.raises(LabError, match="no column 'featur'"):
        lectr.odd(log, by="featur")
    with pytest.raises(LabError, match="not a time zone"):
        lectr.odd(log, tz="Mars")


def test_one_org_can_be_looked_at_alone(made_up):
    """Two orgs' features of one name are two series."""
    one = made_up(fault=Fault("errors", 0.5, FIRST, LAST))
    other = made_up().with_columns(org=pl.lit("other"))
    log = pl.concat([one, other])

    both, alone = lectr.odd(log), lectr.odd(log, org="other")

    assert {i.series[0] for i in both} >= {"made-up"}
    assert {i.series[0] for i in alone} <= {"other"}
    assert alone.looked.begun.height == 2
    assert both.looked.begun.height == 4
    assert both.looked.since == START

"""The rows behind an incident."""

import polars as pl
import pytest
from odd_traffic import DAY, Fault, moment

import lectr_lab as lectr
from lectr_lab.analysis.odd.evidence_rows import looked_at
from lectr_lab.analysis.views import added_up

FIRST, LAST = 8 * DAY + 96, 8 * DAY + 120


def only(found):
    """The incident that the fault made."""
    [one] = [
        i for i in found if i.onset >= moment(FIRST - 6) and i.found < moment(LAST + 12)
    ]
    return one


def test_the_first_rows_of_an_outage_have_failed(made_up):
    """They are those to look at."""
    log = made_up(features=1, fault=Fault("errors", 0.5, FIRST, LAST))

    one = only(lectr.odd(log))

    rows = log.filter(pl.col("event_id").is_in(list(one.first_rows))).collect()
    assert one.kind == "errors"
    assert len(one.first_rows) == 5
    assert set(rows["outcome"]) == {"provider_error"}
    assert rows["started_at"].min() >= one.onset


def test_a_rule_that_began_to_apply_is_said(made_up):
    """Where it did so in the hours around the onset."""
    log = made_up(features=1, fault=Fault("mix", 1.0, FIRST, LAST))
    inside = pl.col("started_at") >= moment(FIRST)
    log = log.with_columns(rule=pl.when(inside).then(pl.lit("cheaper")))

    one = only(lectr.odd(log))

    assert one.changed == ("rule cheaper began to apply",)


def test_the_calls_of_an_incident_are_its_own(made_up):
    """Of that series, from its onset to its end."""
    log = made_up(features=1, fault=Fault("latency", 4.0, FIRST, LAST))
    found = lectr.odd(log)
    one = only(found)

    rows = found.rows(one.id).collect()

    assert rows.height == one.n
    assert set(rows["feature"]) == {"feature-0"}


def test_a_series_without_a_name_has_its_rows_too(made_up):
    """What was asked by may be missing: its rows are found by that."""
    log = made_up(features=2, fault=Fault("errors", 0.5, FIRST, LAST))
    nobody = pl.col("feature") == "feature-0"
    log = log.with_columns(
        session=pl.when(~nobody).then(pl.lit("s")), feature=pl.lit(None, pl.String)
    )

    for by in ("session", ["feature", "session"]):
        told = [one for one in lectr.odd(log, by=by) if one.kind == "errors"]

        assert told and all(len(one.first_rows) == 5 for one in told)


@pytest.mark.parametrize("batch", [100, 3_000])
def test_however_few_rows_are_looked_at_at_once_the_same_are_told(
    made_up, monkeypatch, batch
):
    """What batches say adds up."""
    log = made_up(features=2, fault=Fault("errors", 0.5, FIRST, LAST))
    inside = pl.col("started_at") >= moment(FIRST)
    log = log.with_columns(rule=pl.when(inside).then(pl.lit("cheaper")))
    found = list(lectr.odd(log))
    monkeypatch.setattr(added_up, "BATCH_ROWS", batch)

    told = looked_at(log, found, "feature")

    assert [ids for ids, _ in told] == [one.first_rows for one in found]
    assert all(
        set(rules) <= set(one.changed)
        for one, (_, rules) in zip(found, told, strict=True)
    )
    assert any(rules for _, rules in told)

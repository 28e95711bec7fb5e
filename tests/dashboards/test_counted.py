"""A log, counted so that it fits a page."""

from datetime import timedelta

import polars as pl
import pytest

from lectr_lab.analysis.views import cube
from lectr_lab.dashboards import counted as module
from lectr_lab.dashboards.counted import MOST_BYTES, count_log, fitted

DAY = timedelta(days=1)


def by_the_hour(log, start, days, models):
    fields = [
        {"started_at": start + timedelta(hours=h), "model_actual": f"m{m}",
         "total_ms": 10.0 + h, "outcome": "ok" if h % 9 else "timeout"}
        for h in range(24 * days) for m in range(models)
    ]  # fmt: skip
    return cube.needed(log(*fields))


def test_a_page_is_counted_by_the_shortest_steps_that_fit(log, event):
    """Down to those that are drawn first, and none are lost on the way."""
    start = event(0, {}).started_at
    some = by_the_hour(log, start, 28, 3)

    counted = count_log(some, "UTC")

    assert counted.every == "15m"
    assert module._bytes(counted) <= MOST_BYTES
    long = counted
    for most in (200_000, 60_000, 1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "MOST_BYTES", most)
            long = fitted(long, "UTC")
        for frame, same in ((long.sums, counted.sums), (long.bins, counted.bins)):
            column = "requests" if "requests" in frame.columns else "n"
            assert frame[column].sum() == same[column].sum()
    assert long.every == "1d"
    whole = pl.collect_all(cube.cube(cube.placed(some, counted.leaders, "1d", "UTC")))
    keys = [*cube.KEYS, "requests", "errors"]
    assert (
        long.sums.select(keys).sort(keys).rows()
        == whole[0].select(keys).sort(keys).rows()
    )


def test_percentiles_are_exact_up_to_as_many_rows_as_in_every_view(log, monkeypatch):
    """Above, they are taken from the bins."""
    some = cube.needed(log({}, {}, {}))
    assert count_log(some, "UTC").exact is not None

    monkeypatch.setattr(module, "MOST_EXACT_ROWS", 2)

    assert count_log(some, "UTC").exact is None


def test_the_dearest_sessions_lead(log):
    """An org's session is its own; calls without one are in none."""
    some = log(
        {"session": "a", "output_tokens": 10},
        {"session": "a", "org": "x", "output_tokens": 900},
        {"session": None, "output_tokens": 9_000},
    )

    lead = count_log(cube.needed(some), "UTC").leaders

    assert lead.sessions == (("x", "a"), ("local", "a"))


@pytest.mark.parametrize("rows", [7, 100])
def test_batches_change_no_figure(log, event, monkeypatch, rows):
    """However a log is cut while it is read, the counts are the whole log's."""
    some = by_the_hour(log, event(0, {}).started_at, 3, 2)
    whole = count_log(some, "UTC")
    monkeypatch.setattr(module, "BATCH_ROWS", rows)
    monkeypatch.setattr(module, "_MOST_WAITING", 3)

    cut = count_log(some, "UTC")

    for name in ("ranked", "sums", "bins", "exact"):
        one, other = (getattr(found, name) for found in (whole, cut))
        assert one.sort(pl.all()).equals(other.sort(pl.all()), null_equal=True)
    assert cut[4:7] == whole[4:7] and cut.leaders == whole.leaders


def test_parts_know_who_there_was(log, event):
    """As a look at the whole log does, so that a day is read once."""
    some = by_the_hour(log, event(0, {}).started_at, 2, 2)
    parts = module.Parts(module.Leaders((), ()), "1h", "UTC", exact=False)

    found = module.counted_parts(some, parts).look()

    look = module.first_look(some)
    assert found[1:] == look[1:]
    assert found.ranked.sort(pl.all()).equals(look.ranked.sort(pl.all()))
    assert parts.timed().is_empty()

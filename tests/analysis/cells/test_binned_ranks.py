"""Percentiles of a log from kept bins, to the last bit those of its rows."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from cell_logs import event
from polars.testing import assert_frame_equal

from lectr_lab.analysis.scan import scan
from lectr_lab.analysis.views.health import latency
from lectr_lab.analysis.views.summary import summary, totals
from lectr_lab.log.schema import frame

DAYS = [datetime(2026, 10, 30, tzinfo=UTC) + timedelta(days=n) for n in range(4)]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Four days, over two months."""
    folder, rng = tmp_path_factory.mktemp("lab"), Random(5)
    for day in DAYS:
        part = folder / "log" / f"date={day.date()}"
        part.mkdir(parents=True)
        some = [event(rng, [day], ["chat", None]) for _ in range(200)]
        frame(some).write_parquet(part / "one.parquet")
    return folder


@pytest.mark.parametrize(
    "by, every", [("feature", None), (["model", "day"], "1w"), ("provider", "1d")]
)
@pytest.mark.parametrize("org", [None, "acme", "none such"])
@pytest.mark.parametrize(
    "when",
    [
        {"since": "2026-10-31"},
        {"since": "2026-10-30T07:31:02", "until": "2026-11-02T20:00"},
        {"since": "2026-10-31T07:31", "until": "2026-10-31T20:00"},
    ],
    ids=["days", "parts of days", "part of a day"],
)
def test_bins_say_what_rows_say(lab, by, every, org, when):
    """With every interval; of a part of a day, its rows."""
    log = scan(lab).select(feature=["chat", "untagged"], **when)
    asked = {"every": every, "org": org, "percentiles": "binned", "intervals": True}

    found = latency(log, by, **asked).collect()

    expected = latency(log.lazy(), by, **asked).collect()
    assert_frame_equal(found, expected, check_row_order=False, check_exact=True)


@pytest.mark.parametrize("view", [totals, summary])
def test_a_whole_log_is_ranked_from_bins(lab, view):
    """Of one row, and of groups."""
    log = scan(lab)

    found = view(log, percentiles="binned").collect()

    expected = view(log.lazy(), percentiles="binned").collect()
    assert_frame_equal(found, expected, check_exact=True)

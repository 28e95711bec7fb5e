"""Percentiles from bins of files are those from the bins of all rows, to the last bit."""

from datetime import UTC, datetime, time
from random import Random

import polars as pl
import pytest
from cell_logs import cut, logs
from cell_logs import event as made_event
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.analysis.cells.bins import (
    KEYS,
    added,
    apart,
    bins,
    figures,
    histograms,
    row_bins,
)
from lectr_lab.analysis.cells.facts import facts, may_be_settled
from lectr_lab.analysis.lab_rows import counted_log
from lectr_lab.analysis.pricing.token_ratio import ratios
from lectr_lab.analysis.scan import scan
from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.health import latency
from lectr_lab.analysis.views.summary import summary, totals
from lectr_lab.core.pricing.price_changes import change_days
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.schema import file_metadata, frame

DAYS = [datetime.combine(day, time(), UTC) for day in change_days(())[-3:]]
BYS = [None, "feature", ["task", "provider", "model"], ["model"]]


@settings(max_examples=25)
@given(
    log=logs(DAYS),
    pieces=st.integers(1, 3),
    dice=st.randoms(),
    by=st.sampled_from(BYS),
    every=st.sampled_from([None, "1d"]),
)
def test_percentiles_are_those_of_the_rows(log, pieces, dice, by, every):
    """By any names and day, with their intervals, however rows lie in files."""
    parts = cut(log, pieces, dice)
    counts = [facts(part) for part in parts]
    learned = ratios(pl.concat([one.taught for one in counts]).lazy())
    rest = pl.concat([frame([]), *(one.rest for one in counts)], how="diagonal")
    left = counted_log(rest.lazy(), makers=log.lazy(), per_model=learned).collect()

    kept = [bins(part) for part in parts]
    settled = row_bins(left.filter(pl.col("provider_response_id").is_not_null()))
    named = [] if by is None else [by] if isinstance(by, str) else by
    keys = {name: pl.col(name) for name in ["org", *named]}
    if "feature" in keys:
        keys["feature"] = rows.feature()
    for name in set(keys) - {"org", "feature"}:
        keys[name] = pl.col(name).fill_null(f"no {name}")
    if every:
        keys["time"] = pl.col("at").dt.truncate(every)
    found = figures(
        pl.concat([*kept, settled]).lazy(),
        [key.alias(name) for name, key in keys.items()],
        intervals=True,
    ).collect()

    expected = latency(
        log.lazy(),
        by,
        every=every,
        intervals=True,
        percentiles="binned",
    ).collect()
    some = expected.filter(pl.col("total_n") > 0).drop("requests", "percentiles")
    some = some.select(found.columns).sort(*keys)
    found = found.with_columns(pl.col("^.*_n$").fill_null(0)).sort(*keys)
    assert found.equals(some)


def test_the_hour_of_the_total_is_kept(log_of, event):
    """And of other durations the day, which is enough for them."""
    at = datetime(2026, 11, 2, 14, 30, tzinfo=UTC)
    log = log_of([event(started_at=at, ttfb_ms=3.0)]).collect()

    counted = bins(log).sort("duration")

    assert counted["at"].to_list()[:2] == [
        at.replace(minute=0),
        at.replace(hour=0, minute=0),
    ]
    assert counted["rows"].to_list() == [1, 1, 1]
    assert counted.columns == [*KEYS, "rows"]


@pytest.mark.parametrize("pieces", [2, 3])
def test_bins_add_up(traffic, pieces):
    """Of files, to those of one."""
    log = traffic.collect()
    step = log.height // pieces + 1
    parts = pl.concat([histograms(part) for part in log.iter_slices(step)]).lazy()

    found = added(parts)

    assert found.equals(histograms(log))  # in their order, too
    by_day = added(found.lazy(), at=pl.col("at").dt.truncate("1d"))
    each = apart(by_day.lazy()).collect()
    assert each["rows"].sum() == bins(log)["rows"].sum()
    assert by_day.select(pl.exclude("bin", "rows")).is_unique().all()
    assert not log.filter(may_be_settled()).height


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Files of days that are over, and rows in the journal's place: a part of today."""
    folder = LabFolder.create(tmp_path_factory.mktemp("bins") / "lab")
    rng = Random(11)
    days = [datetime(2026, 9, 29, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)]
    now = datetime.now(UTC)
    for at in [*days, now.replace(hour=0, minute=0, second=0, microsecond=0)]:
        folder.day(at.date()).mkdir()
        rows_of = frame([made_event(rng, [at], ("chat", None)) for _ in range(200)])
        path = folder.day(at.date()) / f"{'a' * 32}.parquet"
        rows_of.write_parquet(path, metadata=file_metadata())
    return folder


@pytest.mark.parametrize(
    ("by", "every", "tz"),
    [
        ("feature", None, "UTC"),
        (None, None, "UTC"),
        (["model", "provider"], "1d", "UTC"),
        ("day", None, "UTC"),
        ("feature", "1mo", "UTC"),
        ("feature", "1h", "UTC"),  # from rows
        ("feature", "1d", "Asia/Kolkata"),  # likewise
        ("session", None, "UTC"),
    ],
)
def test_a_log_with_cells_is_as_slow_as_its_rows(lab, by, every, tz):
    """To the last bit, from bins where they can say it."""
    log = scan(lab.root)
    for some in (log, log.select(org="acme", until="2026-09-30")):
        asked = {"every": every, "tz": tz, "intervals": True, "percentiles": "binned"}

        found = latency(some, by, **asked).collect()

        expected = latency(some.lazy(), by, **asked).collect()
        assert found.sort(pl.all()).equals(expected.sort(pl.all()))
    one = latency(log, by, every=every, tz=tz, org="globex", percentiles="binned")
    same = latency(
        log.lazy(), by, every=every, tz=tz, org="globex", percentiles="binned"
    )
    assert one.collect().sort(pl.all()).equals(same.collect().sort(pl.all()))


def test_a_summary_and_totals_are_those_of_the_rows(lab):
    """Their percentiles, too."""
    log = scan(lab.root)

    whole = totals(log, percentiles="binned").collect()
    groups = summary(log, percentiles="binned").collect()

    assert whole.equals(totals(log.lazy(), percentiles="binned").collect())
    assert groups.equals(summary(log.lazy(), percentiles="binned").collect())

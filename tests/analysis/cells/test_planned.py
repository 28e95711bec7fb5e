"""Views of a log that has cells say what they say of its rows."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from cell_logs import DAYS, event, lab_of, user_prices
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from lectr_lab.analysis.cells import planned
from lectr_lab.analysis.log import Log
from lectr_lab.analysis.scan import scan
from lectr_lab.analysis.views.data_gaps import streams_without_usage, unpriced_models
from lectr_lab.analysis.views.health import errors, latency
from lectr_lab.analysis.views.spend import spend, spend_over_time, tokens
from lectr_lab.analysis.views.summary import summary, totals
from lectr_lab.core.pricing.price import PriceList
from lectr_lab.log.schema import frame

BY = [
    *("feature", "model", "day", "hour", "credential", "token_source", "task", None),
    *("error_type", "outcome", "session"),
    *(["feature", "model"], ["day", "provider"], ["status", "feature"]),
]
STEPS = [None, "15m", "45m", "1h", "1d", "1w", "1mo", "7m", "1d12h"]
ZONES = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"]
BINNED = {"percentiles": "binned", "intervals": True}
SELECTED: list[dict[str, Any]] = [
    {},
    {"feature": ["chat", "untagged"]},
    {"model": "gpt-4o", "provider": ["openai", "no provider"]},
    {"org": "acme", "since": "2026-10-31"},
    {"since": "2026-10-30T00:05:00.000002", "until": "2026-11-01T23:59:00.000001"},
    {"since": "2026-10-31T10:00:00.000001", "until": "2026-10-31T10:00:00.000003"},
    {"since": "2026-10-31T00:00:00+05:45", "until": "2026-11-01T00:07"},
    {"user": "canary-user"},
    {"feature": "none such"},
]


def same(
    view: Callable[..., Any], log: Log, rows: pl.LazyFrame | None = None, **asked: Any
) -> None:
    """Of the log and of its rows, which may be at hand."""
    held = log.lazy() if rows is None else rows
    found, expected = view(log, **asked).collect(), view(held, **asked).collect()

    # Estimates are sums of floats that are rounded here and there.
    assert_frame_equal(found, expected, check_row_order=False, rel_tol=1e-9)


def grouping() -> st.SearchStrategy[dict[str, Any]]:
    """How a view is asked."""
    return st.fixed_dictionaries(
        {"by": st.sampled_from(BY), "every": st.sampled_from(STEPS)},
        optional={"tz": st.sampled_from(ZONES), "org": st.just("globex")},
    )


def views() -> st.SearchStrategy[tuple[Callable[..., Any], dict[str, Any]]]:
    """Views, and what they are asked."""
    one_row = [totals, unpriced_models, streams_without_usage, spend_over_time]
    return st.one_of(
        st.tuples(st.sampled_from([spend, errors, tokens, latency]), grouping()),
        st.tuples(st.just(latency), grouping().map(BINNED.__or__)),
        st.tuples(
            st.sampled_from([totals, summary]), st.just({"percentiles": "binned"})
        ),
        st.tuples(st.just(summary), st.fixed_dictionaries({"by": st.sampled_from(BY)})),
        st.tuples(st.sampled_from(one_row), st.just({})),
    )


def law(seed: int, prices: PriceList, asked: list[Any], selected: list[Any]) -> None:
    """Each view of each part of a log says what it says of the rows; at these prices."""
    with TemporaryDirectory() as folder:
        log = scan(lab_of(Path(folder), seed), prices)
        parts = [log.select(**part) if part else log for part in selected]
        # Priced once, for whatever is asked of them.
        rows = [part.lazy().collect().lazy() for part in parts]
        for view, how in asked:
            for part, held in zip(parts, rows, strict=True):
                same(view, part, held, **how)


@given(
    st.integers(0, 2**32),
    user_prices,
    st.lists(views(), min_size=2, max_size=2),
    st.lists(st.sampled_from(SELECTED), min_size=2, max_size=2),
)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_cells_say_what_rows_say(seed, prices, asked, selected):
    """Whatever is asked, of any part, at any prices."""
    law(seed, prices, asked, selected)


@pytest.mark.slow
@pytest.mark.timeout(900)  # a busy machine takes ten seconds an example
@given(
    st.integers(0, 2**32),
    user_prices,
    st.lists(views(), min_size=5, max_size=5),
    st.lists(st.sampled_from(SELECTED), min_size=3, max_size=3),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_many_logs_and_questions(seed, prices, asked, selected):
    """The same law, further."""
    law(seed, prices, asked, selected)


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Path:
    """A lab with cells of all its days."""
    folder = lab_of(tmp_path_factory.mktemp("lab"), 7)
    scan(folder).explain(spend)
    return folder


@pytest.mark.parametrize(
    "by, every, tz, reads_rows",
    [
        ("feature", None, "UTC", False),
        (["model", "day"], "1h", "Asia/Kathmandu", False),
        ("error_type", None, "UTC", True),
        ("session", None, "UTC", True),
        ("feature", "7m", "UTC", True),
        ("feature", "45m", "Europe/Berlin", False),
    ],
)
def test_rows_are_read_where_cells_cannot_say_it(lab, by, every, tz, reads_rows):
    """And not else; `explain` tells."""
    told = scan(lab).explain(spend, by, every=every, tz=tz)

    assert (told == "All rows.") == reads_rows
    assert reads_rows or told.endswith("in cells; 0 rows.")


def test_failures_by_kind_are_in_cells(lab):
    """Of requests that failed, a cell says how."""
    assert scan(lab).explain(errors, "error_type").endswith("in cells; 0 rows.")


def test_what_is_found_out_of_a_log_is_found_out_once(lab):
    """Its newest rows, and when its days began: a page and its advice both ask; of each
    part for itself."""
    log = scan(lab)

    assert log.newest(9) is log.newest(9) and log.newest(9) is not log.newest(3)
    assert log.day_ends() is log.day_ends()
    part = log.select(org="acme")
    assert part.newest(9) is not log.newest(9)
    assert part.day_ends() is not log.day_ends()


def test_rows_that_are_in_no_cell_are_priced_once(lab, monkeypatch):
    """For all that is asked, where they are few; and else for each question."""
    log = scan(lab)
    usual = spend(log, by="model").collect()
    with monkeypatch.context() as patch:
        patch.setattr(planned, "counted_log", None)  # nobody prices them again
        assert spend(log, by="provider").collect().height
        assert errors(log.select(org="acme"), by="model").collect().height
    monkeypatch.setattr(planned, "_MOST_HELD", 0)
    many = scan(lab)

    assert_frame_equal(spend(many, by="model").collect(), usual)
    told = spend(many, by="provider").explain()
    assert (
        "as_struct" in told and "as_struct" not in spend(log, by="provider").explain()
    )


def test_a_time_that_ends_within_a_day_leaves_the_other_months_whole(lab, tmp_path):
    """Only the files of its ends' months, and of the next, are read by quarter hours."""
    folder = tmp_path / "lab"
    shutil.copytree(lab, folder)
    for month in (3, 4, 5, 6, 7):
        part = folder / "log" / f"date=2026-{month:02}-05"
        part.mkdir()
        rng = Random(month)
        day = datetime(2026, month, 5, tzinfo=UTC)
        some = [event(rng, [day], ["chat"]) for _ in range(20)]
        frame(some).write_parquet(part / "one.parquet")

    log = scan(folder).select(since="2026-04-05T07:03")

    assert log.explain(spend).startswith("7 months, 2 files of a day ")
    for view in (spend, tokens, errors):
        same(view, log, by=["feature", "day"])


def test_what_is_in_the_journal_is_counted_beside_the_cells(lab, tmp_path, event):
    """As rows, which are few."""
    from lectr_lab.log.folder import LabFolder
    from lectr_lab.log.journal import JournalWriter

    folder = tmp_path / "lab"
    shutil.copytree(lab, folder)
    before = spend(scan(folder), by=None, org="local").collect()
    writer = JournalWriter(LabFolder.create(folder))
    writer.append([event(started_at=DAYS[-1] + timedelta(days=3))])
    writer.close()

    log = scan(folder)

    assert log.explain(spend).endswith("in cells; 1 row.")
    assert spend(log, by=None, org="local").collect()["requests"].item() == 1
    assert before["requests"].item() == 0
    same(spend, log, by="model")

"""Views of a prefix that has cells say what they say of its rows."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from cell_logs import event, user_prices
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import lectr_lab as lectr
from lectr_lab.analysis.cells.prefix_files import Days
from lectr_lab.analysis.cells.prefix_upkeep import count_prefix
from lectr_lab.analysis.log import Log
from lectr_lab.core.errors import StoreError
from lectr_lab.log.schema import frame
from lectr_lab.shipping.files import packed
from lectr_lab.shipping.places import place
from lectr_lab.shipping.ship import compact, sweep_all
from lectr_lab.shipping.stores import RemoteStore, opened

FIRST = datetime(2026, 9, 29, tzinfo=UTC)
DAYS = [FIRST + timedelta(days=n) for n in (0, 1, 2, 3, 33)]
TODAY = date(2026, 11, 2)  # a day after the last of them
BINNED = {"percentiles": "binned", "intervals": True}
ASKED: list[tuple[Any, dict[str, Any]]] = [
    (lectr.spend, {"by": ["feature", "model"], "every": "1mo"}),
    (lectr.spend, {"by": "model", "every": "1d"}),
    (lectr.spend, {"by": "credential", "every": "15m", "tz": "Asia/Kathmandu"}),
    (lectr.tokens, {"by": "provider"}),
    (lectr.errors, {"by": ["error_type", "feature"], "every": "1d"}),
    (lectr.latency, {"by": "feature", **BINNED}),
    (lectr.latency, {"by": "model", "every": "1d", **BINNED}),
    (lectr.summary, {}),
    (lectr.spend, {"by": "session"}),
]
SELECTED: list[dict[str, Any]] = [
    {},
    {"org": "acme", "since": "2026-09-30"},
    {"feature": "chat", "since": "2026-09-29T00:05", "until": "2026-10-02T00:29:00.1"},
    {"since": "2026-10-01", "until": "2026-11-01"},
]


def put(store: RemoteStore, day: datetime, rng: Random, rows: int = 30) -> None:
    """What a shipper does."""
    some = [event(rng, [day], ["chat", "search", None]) for _ in range(rows)]
    path = f"fresh/date={day.date()}/{rng.randbytes(16).hex()}-0000.parquet"
    store.put_new(path, packed(frame(some)))


def fill(store: RemoteStore, seed: int) -> None:
    """Days that were merged and counted; then some late rows, and today's."""
    rng = Random(seed)
    for day in DAYS:
        for _ in range(rng.randint(1, 2)):
            put(store, day, rng)
    compact(store, TODAY)
    count_prefix(store, today=TODAY)
    put(store, rng.choice(DAYS), rng, 3)
    put(store, datetime(2026, 11, 2, tzinfo=UTC), rng, 5)
    if rng.random() < 0.5:
        compact(store, TODAY)


@contextmanager
def prefix(seed: int) -> Iterator[tuple[Path, str]]:
    with TemporaryDirectory() as folder:
        url = f"file://{folder}/store"
        fill(opened(place(url, {})), seed)
        yield Path(folder) / "store", url


def part_of(url: str, prices: Any, selected: dict[str, Any]) -> Log:
    log = lectr.scan(url, prices)
    return log.select(**selected) if selected else log


def spoil(store: Path, rng: Random) -> None:
    """What may become of a set: it is gone, torn, foreign, another's, of other prices."""
    files = sorted((store / "cells").rglob("*.zip"))
    held = {path: path.read_bytes() for path in files}
    for path in rng.sample(files, rng.randint(1, len(files))):
        data, other = held[path], held[rng.choice(files)]
        path.unlink()
        match rng.randrange(6):
            case 1:
                path.write_bytes(data[: rng.randrange(len(data))])
            case 2:
                path.write_bytes(rng.randbytes(100))
            case 3:
                path.write_bytes(other)
            case 4:
                stem, _, key = path.name.removesuffix(".zip").rpartition(".")
                aged = path.with_name(f"{stem}.{key[::-1]}.zip".lstrip("."))
                aged.write_bytes(data)
            case 5:
                at = rng.randrange(len(data))
                path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32),
    prices=user_prices,
    asked=st.lists(st.sampled_from(ASKED), min_size=3, max_size=3),
    selected=st.sampled_from(SELECTED),
    spoiled=st.booleans(),
)
def test_a_view_says_the_same_with_and_without_cells(
    seed, prices, asked, selected, spoiled
):
    """Of any part of it, at any prices; whatever has become of the cells there."""
    with prefix(seed) as (store, url):
        if spoiled:
            spoil(store, Random(seed))
        log = part_of(url, prices, selected)
        found = [view(log, **named).collect() for view, named in asked]
        assert log.n_rows() == log.lazy().select(pl.len()).collect().item()

        shutil.rmtree(store / "cells")
        rows = part_of(url, prices, selected)
        for one, (view, named) in zip(found, asked, strict=True):
            expected = view(rows, **named).collect()
            assert_frame_equal(one, expected, check_row_order=False, rel_tol=1e-9)


def test_what_is_read_is_told():
    """Months stand for their days, and days for what no month says."""
    with prefix(5) as (_, url):
        log = lectr.scan(url)

        said = log.explain(lectr.spend, by="model", every="1d")
        assert said == "2 months, 2 files of a day in cells; 8 rows."
        assert (
            log.explain(lectr.spend, every="1h") == "5 files of a day in cells; 8 rows."
        )
        part = log.select(since="2026-10-01")
        assert part.explain(lectr.spend) == "2 months in cells; 5 rows."
        assert part.explain(lectr.spend, by="user") == "All rows."


def test_what_was_swept_since_is_said():
    """Rows that were listed and are gone: the log is opened again."""
    with prefix(5) as (_, url):
        store, log = opened(place(url, {})), lectr.scan(url)
        compact(store, TODAY + timedelta(days=9))
        sweep_all(store, datetime.now(UTC), timedelta(0))

        with pytest.raises(StoreError, match="Open it again"):
            lectr.spend(log).collect()
        assert lectr.spend(lectr.scan(url)).collect()["requests"].sum() > 0


def test_days_are_a_span():
    """Open at either end."""
    first, second, third = (date(2026, 11, day) for day in (1, 2, 3))

    assert [Days(second).have(day) for day in (first, second, third)] == [0, 1, 1]
    assert [Days(None, second).have(day) for day in (first, second, third)] == [1, 1, 0]
    assert Days().have(first)

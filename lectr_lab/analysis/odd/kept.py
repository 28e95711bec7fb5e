"""The cells of closed days, kept beside the log: `cells/odd/`.

    cells/odd/<YYYY-MM-DD>.<key>.parquet    the cells of a day, and what they rest on

A day's cells rest on its own parts and on those of the seven days before it (the p95 that
`over` is counted by), on the price list and on what a series is. All of it is named in
the file, and the day is counted again where anything is another now, or where the file
cannot be read. Whoever may not write there counts in memory. Nothing is lost with these
files; nothing in them tells one request from another.

A day is closed where it is over and nothing of it is left in the journal. It is counted
from its own files alone: tokens of streams that reported none are estimated from that
day, and a response that was fetched on two days counts on both.
"""

import contextlib
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache, cached_property
from hashlib import blake2b
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import polars as pl

from lectr_lab.analysis import scan as scanning
from lectr_lab.analysis.odd.by_day import in_order, small
from lectr_lab.analysis.odd.cells import MODEL, SUMS, cells, durations, slow_limits
from lectr_lab.analysis.views.groups import key_names
from lectr_lab.core.pricing.price import PriceList
from lectr_lab.files import read_regular, write_whole
from lectr_lab.log.checksums import checksums
from lectr_lab.log.folder import FOLDER_MODE, LabFolder, segment_date
from lectr_lab.log.verify import parts_of

FORMAT = 2
KEPT_BY = ("feature", "provider", "model", "client")
"""What is kept; others may tell who asked, or are too many, and are counted anew."""

_RESTS_ON = "rests_on"
_WEEK = 7
_DAY = timedelta(days=1)
_DIGEST_BYTES = 16


def lab_cells(
    lab: LabFolder,
    by: str | Sequence[str],
    begin: datetime | None,
    now: datetime,
    prices: PriceList = (),
) -> pl.DataFrame:
    """The cells of a lab up to now: closed days as kept, others counted.

    Args:
        lab: the folder.
        by: what a series is, within its org.
        begin: the day of this moment is the first; None for all.
        now: requests from this moment on are left out.
        prices: the user's own.
    """
    today = now.astimezone(UTC).date()
    journal = {segment_date(segment) for segment in lab.segments()}
    days = sorted({*lab.days(), *(day for day in journal if day is not None)})
    days = [day for day in days if day <= today]
    if begin is not None:
        days = [day for day in days if day >= begin.astimezone(UTC).date()]
    reading = _Reading(lab, by, prices)
    found = [small(reading.nothing())]
    for day in days:
        closed = day < today and day not in journal
        some = reading.closed(day) if closed else reading.counted(day)
        found.append(small(some.filter(pl.col("at") < now)))
    return in_order(found, list(dict.fromkeys((*key_names(by), *MODEL))))


class _Reading:
    """One reading of a lab: each day's files are listed, and counted, once at most."""

    def __init__(
        self, lab: LabFolder, by: str | Sequence[str], prices: PriceList
    ) -> None:
        self._lab, self._by, self._prices = lab, by, prices
        self._durations: dict[date, pl.DataFrame] = {}
        self._files: dict[date, str] = {}

    def closed(self, day: date) -> pl.DataFrame:
        """The cells of a day that is over: as kept, or counted and kept."""
        path = self._path(day)
        if path is None:
            return self.counted(day)
        rests_on = self._rests_on(day)
        found = _read(path, rests_on, self._schema)
        if found is None:
            found = self.counted(day)
            _write(path, found, rests_on)
        return found

    def counted(self, day: date) -> pl.DataFrame:
        """The cells of a day, from its rows."""
        before = [self._took(day - _DAY * back) for back in range(1, _WEEK + 1)]
        self._durations.pop(day - _DAY * _WEEK)  # days come in order
        limits = slow_limits(pl.concat(before), [day], self._by)
        return cells(self._log(day), limits.lazy(), self._by).collect(
            engine="streaming"
        )

    def nothing(self) -> pl.DataFrame:
        """No cells, with their columns."""
        log = self._log(date.min)
        limits = slow_limits(durations(log, self._by).collect(), [], self._by)
        return cells(log, limits.lazy(), self._by).collect()

    @cached_property
    def _schema(self) -> pl.Schema:
        return self.nothing().schema

    def _log(self, day: date) -> pl.LazyFrame:
        return scanning.scan(self._lab.root, self._prices, day=day).lazy()

    def _took(self, day: date) -> pl.DataFrame:
        if day not in self._durations:
            log = self._log(day)
            found = durations(log, self._by).collect(engine="streaming")
            self._durations[day] = found
        return self._durations[day]

    def _path(self, day: date) -> Path | None:
        if not isinstance(self._by, str) or self._by not in KEPT_BY:
            return None
        return self._lab.root / "cells" / "odd" / f"{day}.{self._by}.parquet"

    def _rests_on(self, day: date) -> str:
        days = [self._of_day(day - _DAY * back) for back in range(_WEEK + 1)]
        text = "\n".join([f"{FORMAT} {self._by}", *days, price_digest(self._prices)])
        return blake2b(text.encode(), digest_size=_DIGEST_BYTES).hexdigest()

    def _of_day(self, day: date) -> str:
        """The names, sizes and sums of a day's parts."""
        if day not in self._files:
            sums: Mapping[str, set[int]] = checksums(self._lab, day)
            listed = [str(day)]
            for part in parts_of(self._lab, day):
                about = part.stat()
                known = sorted(sums.get(part.name, ())) or [about.st_mtime_ns]
                listed.append(f"{part.name!a} {about.st_size} {known}")
            self._files[day] = "\n".join(listed)
        return self._files[day]


@cache
def price_digest(prices: PriceList) -> str:
    """What a price list is told by: the user's entries, and the lists that we ship.

    >>> price_digest(()) == price_digest(()), len(price_digest(()))
    (True, 32)
    """
    told = blake2b(digest_size=_DIGEST_BYTES)
    told.update(repr(prices).encode())
    told.update(version("genai-prices").encode())
    for file in sorted(
        (
            f
            for f in files("lectr_lab.core.pricing").iterdir()
            if f.name.endswith(".toml")
        ),
        key=lambda f: f.name,
    ):
        told.update(file.read_bytes())
    return told.hexdigest()


def _read(path: Path, rests_on: str, schema: pl.Schema) -> pl.DataFrame | None:
    """What was kept, where it rests on the same; None where it does not, or is torn."""
    try:
        data = io.BytesIO(read_regular(path, follow=False))
        if pl.read_parquet_metadata(data).get(_RESTS_ON) != rests_on:
            return None
        data.seek(0)
        found = pl.read_parquet(data)
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
    return found.select(schema.names()) if found.schema == schema else None


def _write(path: Path, found: pl.DataFrame, rests_on: str) -> None:
    """Keep a day's cells, aside and then renamed, where the folder may be written."""
    data = io.BytesIO()
    dense = found.sort(pl.exclude(*SUMS))
    dense.write_parquet(data, compression="zstd", metadata={_RESTS_ON: rests_on})
    with contextlib.suppress(OSError):
        for folder in (path.parent.parent, path.parent):
            folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
        write_whole(path, data.getvalue(), durable=False)

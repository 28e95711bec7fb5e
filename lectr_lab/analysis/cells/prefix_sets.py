"""Sets of cells as objects of a store, beside the log that many labs are shipped to.

    cells/days/date=D/<log object>.<key>.zip    what was counted of a log object
    cells/months/<YYYY-MM>/<key>.zip            what those of a month's ended days add up to

A log object is written once, so what was counted of it holds for ever; the key says what
it was counted from and how (`kept.key_of`), and a month's key which objects it stands
for. Each is one object that is put if absent: an archive, not compressed, with a Parquet
file of each kind, that says its own name. What is torn, foreign or of another name is no
set; all of them may be deleted at any time. Then rows are read, and no figure changes.
"""

import io
import zipfile
from collections.abc import Iterable
from datetime import date
from functools import cache

import polars as pl

from lectr_lab.analysis.cells.kept import key_of
from lectr_lab.analysis.cells.sets import KINDS, CellSet, counted
from lectr_lab.log.schema import frame

CELLS = "cells/"
DAYS, MONTHS = "cells/days/", "cells/months/"
_FEW = " few"


def day_path(day: date, name: str, size: int) -> str:
    """Where the set of a log object lies.

    Args:
        day: its day.
        name: what it is called, without `.parquet`.
        size: its bytes.
    """
    key = key_of([str(day), name, str(size), *_columns()])
    return f"{DAYS}date={day}/{name}.{key}.zip"


def month_path(day: date, sets: Iterable[str]) -> str:
    """Where the set of a month lies.

    Args:
        day: any day of it.
        sets: the paths of what it adds up.
    """
    return f"{MONTHS}{day:%Y-%m}/{key_of(['of the month', *sorted(sets)])}.zip"


def days_from(day: date) -> str:
    """What `Store.listed` takes to list sets of days from this one on."""
    return f"{DAYS}date={day}"


def packed(path: str, found: CellSet) -> bytes:
    """A set as the object at this path."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for kind, data in found.files().items():
            archive.writestr(zipfile.ZipInfo(f"{kind}.parquet"), data)
        archive.comment = f"{path}{_FEW * found.few}".encode()
    return out.getvalue()


class Unpacked(dict[str, bytes]):
    """A Parquet file of each kind; `few` as of `CellSet`."""

    few = False


def unpacked(path: str, data: bytes) -> Unpacked | None:
    """The files of a set; None where it is none of this path.

    Args:
        path: where it was found.
        data: what it holds.
    """
    found = Unpacked()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            named = archive.comment.decode(errors="replace")
            entries = {one.filename: one for one in archive.infolist()}
            for kind in KINDS:
                entry = entries[f"{kind}.parquet"]
                if entry.compress_type != zipfile.ZIP_STORED:
                    return None
                found[kind] = archive.read(entry)  # compared with its checksum
                if pl.read_parquet_schema(found[kind]) != _schemas()[kind]:
                    return None
    except (Exception, pl.exceptions.PanicException):  # noqa: BLE001 - damaged bytes end in every kind of error
        return None
    found.few = named == path + _FEW
    return found if found.few or named == path else None


@cache
def _columns() -> list[str]:
    """What a set consists of: another version's may be put beside it, not under its name."""
    return [f"{kind} {schema.names()}" for kind, schema in _schemas().items()]


@cache
def _schemas() -> dict[str, pl.Schema]:
    none = counted(frame([]).lazy())
    return {kind: getattr(none, kind).schema for kind in KINDS}

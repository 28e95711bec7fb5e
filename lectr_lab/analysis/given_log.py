"""What may be given where a log is wanted: as `scan` gives it, collected or not, the folder
it is read from, the proxy that writes it, or a data frame of another library."""

import os
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl

from lectr_lab.analysis import log as lab_log
from lectr_lab.analysis.lab_rows import counted_log
from lectr_lab.analysis.pricing.price_file import read_prices
from lectr_lab.analysis.pricing.priced import FACTS, priced
from lectr_lab.analysis.pricing.token_ratio import ESTIMATES
from lectr_lab.analysis.scan import scan
from lectr_lab.analysis.views.selection import Selection
from lectr_lab.core.errors import LabError
from lectr_lab.core.formatting import name
from lectr_lab.core.pricing.price import PriceList
from lectr_lab.log.schema import polars_schema

Log: TypeAlias = lab_log.Log | pl.LazyFrame | pl.DataFrame | Path | str
"""A log as `scan` gives it, its rows, lazy or collected, or the lab folder that it is read
from."""

NEEDED = ("started_at", "org", "kind", "operation", "path", "outcome")
"""Columns that every row of a log has, and no view of one."""

_WANTED = "This takes a log: what `lectr.scan()` gives, or the path of a lab folder"


def as_log(
    given: Log, prices: PriceList | Path | str | None = None, *, costs: bool = True
) -> pl.LazyFrame:
    """The rows of a log, whatever it was given as.

    Args:
        given: a log as `scan` gives it; its rows, lazy or collected; the path of a lab
            folder; a proxy that writes one; or a frame of pandas, pyarrow or another
            library that exports Arrow, with a log's columns.
        prices: the user's own prices, or the file that has them, where it is not priced
            yet.
        costs: price it then; without, it is left as it is.

    Returns:
        Its rows, with what they cost: a frame that has a log's columns and no
        `cost_usd`, such as the Parquet files alone, is priced here.

    Raises:
        LabError: it is something else, such as the result of a view.
        LogError: there is no such folder.

    >>> from lectr_lab.analysis.scan import demo_log
    >>> as_log(demo_log().collect()).select(pl.len()).collect().item()
    16222
    """
    return opened(given, prices, costs=costs).lazy()


def opened(
    given: Log, prices: PriceList | Path | str | None = None, *, costs: bool = True
) -> lab_log.Log | pl.LazyFrame:
    """A log, whatever it was given as: where its folder is known, a `Log`; else its rows.

    Args and Raises as of `as_log`.

    >>> from lectr_lab.analysis.scan import demo_log
    >>> type(opened(demo_log())).__name__, type(opened(demo_log().head(3))).__name__
    ('Log', 'LazyFrame')
    """
    if isinstance(given, lab_log.Log):
        return given
    given = getattr(given, "lab", given)  # a proxy's
    if isinstance(given, str | os.PathLike):
        return scan(given if isinstance(given, str) else Path(given), prices)
    frame = _frame(given).lazy()
    names = frame.collect_schema().names()
    missing = [column for column in NEEDED if column not in names]
    if missing:
        lacks = f"this frame has no column {missing[0]!r}"
        what = "the result of a view" if "requests" in names else "no log"
        raise LabError(f"{_WANTED}; {lacks}, and is {what}.")
    if not costs or "cost_usd" in names or not {*FACTS} <= {*names}:
        return frame
    own = read_prices(prices) if isinstance(prices, Path | str) else prices
    is_counted = {*ESTIMATES} <= {*names}
    whole = {*polars_schema()} <= {*names} and not is_counted
    return priced(counted_log(frame) if whole else frame, own)


def narrowed(log: lab_log.AnyLog, wanted: Selection) -> lab_log.AnyLog:
    """The part of a log that fits.

    Raises:
        LabError: a column that the log does not have.
    """
    return log.narrowed(wanted) if isinstance(log, lab_log.Log) else wanted.of(log)


def _frame(given: Any) -> pl.LazyFrame | pl.DataFrame:
    if isinstance(given, pl.LazyFrame | pl.DataFrame):
        return given
    if not hasattr(given, "__arrow_c_stream__"):
        raise LabError(f"{_WANTED}; not {_called(given)}.")
    try:
        frame = pl.DataFrame(given)
    except (ImportError, TypeError, ValueError, pl.exceptions.PolarsError) as error:
        reason = name(str(error).partition("\n")[0], 200)
        raise LabError(f"{_WANTED}; this frame cannot be read: {reason}.") from None
    # Others know fewer types: a clock of nanoseconds, or bytes that are objects.
    types = {n: kind for n, kind in polars_schema().items() if n in frame.columns}
    return frame.cast(pl.Schema(types), strict=False)


def _called(given: Any) -> str:
    kind = type(given).__name__
    article = "an" if kind[:1].lower() in "aeiou" else "a"
    return "None" if given is None else f"{article} {name(kind)}"

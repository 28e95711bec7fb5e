"""The log beside another account of the same calls, each difference with its cause.

Another account is what a provider says that it counted and charged (`usage`), or a log
of the same calls from elsewhere: transcripts, spans, another proxy (`calls`).
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path

import polars as pl

from lectr_lab.analysis.given_log import Log, as_log
from lectr_lab.analysis.lab_rows import counted_log
from lectr_lab.analysis.log import Log as LabLog
from lectr_lab.analysis.pricing.price_file import read_prices
from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.reconcile.call_result import CallReconciliation
from lectr_lab.analysis.reconcile.calls import compare_calls
from lectr_lab.analysis.reconcile.dimension_notes import dimension_notes
from lectr_lab.analysis.reconcile.exports.read import Export, read_export, together
from lectr_lab.analysis.reconcile.result import Reconciliation
from lectr_lab.analysis.reconcile.sides import counted
from lectr_lab.analysis.reconcile.usage import differences
from lectr_lab.analysis.scan import scan
from lectr_lab.core.errors import ConfigError
from lectr_lab.core.pricing.price import PriceList

Files = Path | str | Sequence[Path | str]
Other = Files | LabLog | pl.LazyFrame | pl.DataFrame

_OF_A_LAB = ("log", "journal", "state")
_SUFFIXES = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".txt")


def reconcile(
    log: Log,
    other: Other,
    *,
    costs: Files | None = None,
    prices: PriceList | Path | str = (),
    within: timedelta = timedelta(seconds=60),
) -> Reconciliation | CallReconciliation:
    """Explain the difference between a log and another account of the same calls.

    Args:
        log: events with `cost_usd`, as `scan` gives them.
        other: a provider's export of usage or costs (a file, several, or a folder of
            them; `lectr-lab reconcile --known` lists which), or another log of the same
            calls: a lab folder, a folder of Parquet files, or a LazyFrame, such as the
            imported rows of one.
        costs: the same provider's cost export, for what was really charged.
        prices: the user's own prices, or the file that has them, as given to `scan`.
        within: of two logs, how far apart the clocks may be where no id tells which
            call is which.

    Returns:
        Beside an export: per day and model the requests missing, what was counted
        differently and another price. Beside a log: the calls that only one of them
        has, has twice or counts differently. Each with its amount in USD; and their sum
        in a sentence.

    Raises:
        ConfigError: an export is none that is known, or in the other's place.
        LogError: there is no such folder.

    >>> from lectr_lab.analysis.scan import demo_log
    >>> reconcile(demo_log(), demo_log()).differences.height
    0
    """
    own = read_prices(prices) if isinstance(prices, Path | str) else prices
    log = as_log(log, own)
    if isinstance(other, LabLog | pl.LazyFrame | pl.DataFrame):
        return compare_calls(log, _priced(other.lazy(), own), within=within)
    files = _files(other)
    if not files:
        [folder] = [other] if isinstance(other, Path | str) else other
        return compare_calls(log, _log_in(Path(folder), own), within=within)
    found = together([read_export(file) for file in files])
    charged = None if costs is None else _charged(costs, found)
    ours = counted(log, found).collect()
    searches = int(ours["web_searches"].sum())
    notes = (*found.notes, *(charged.notes if charged else ()))
    return Reconciliation(
        provider=found.provider,
        differences=differences(
            ours, found, None if charged is None else charged.charged, own
        ),
        notes=(*notes, *dimension_notes(found, own, searches)),
    )


def _charged(costs: Files, used: Export) -> Export:
    """A cost export beside one of usage."""
    named = costs if isinstance(costs, Path | str) else " and ".join(map(str, costs))
    if not used.used:
        raise ConfigError(
            "The first export has no usage in it. Give the usage export first, and what "
            "was charged as costs; or a cost export alone."
        )
    files = _files(costs)
    charged = together([read_export(file) for file in files]) if files else None
    if charged is None or charged.provider != used.provider or not charged.charged:
        raise ConfigError(f"{named} is not a cost export of {used.provider}.")
    return charged


def _files(given: Files) -> list[Path]:
    """The exports; none where it is a folder that is a log."""
    if not isinstance(given, Path | str):
        return [file for one in given for file in _files(one) or [Path(one)]]
    path = Path(given)
    if not path.is_dir():
        return [path]
    if any((path / name).is_dir() for name in _OF_A_LAB):
        return []
    inside: Iterable[Path] = sorted(path.iterdir())
    return [p for p in inside if p.is_file() and p.suffix.lower() in _SUFFIXES]


def _log_in(folder: Path, own: PriceList) -> pl.LazyFrame:
    """A lab's log, or that of a folder of its parts.

    Raises:
        ConfigError: neither is there.
    """
    is_lab = any((folder / name).is_dir() for name in _OF_A_LAB)
    if not is_lab and next(folder.rglob("*.parquet"), None) is None:
        raise ConfigError(
            f"{folder} has neither exports (JSON or CSV) nor a log in it. Transcripts and "
            "spans become a log first: `lectr-lab import` makes one."
        )
    return scan(folder, own or None).lazy()


def _priced(log: pl.LazyFrame, own: PriceList) -> pl.LazyFrame:
    """What an import gives has no costs yet."""
    known = "cost_usd" in log.collect_schema()
    return log if known else priced(counted_log(log), own)

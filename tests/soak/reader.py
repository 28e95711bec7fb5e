"""Readers beside the writers: `python reader.py <lab>`, a look for each line of input.

Answers each with a line of JSON, of this look and those before:

    rows        of this scan
    doubled     rows that were there twice, in `scan` or to a plain reader
    vanished    rows that had been there, and were not any more
    again       looks that raised because a day was compacted meanwhile: allowed
    raised      what else was raised
"""

import json
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import polars as pl

from lectr_lab.core.errors import LogError
from lectr_lab.log.scan import scan

_GONE = (FileNotFoundError, pl.exceptions.PolarsError, LogError)


class Reader:
    """One way to read, and what it has seen so far."""

    def __init__(self, ids: Callable[[], list[bytes]], counts: Counter[str]) -> None:
        self._ids, self._counts = ids, counts
        self._seen: set[bytes] = set()

    def look(self) -> int:
        """Rows there now; -1 where they could not be read."""
        try:
            ids = self._ids()
        except _GONE:
            self._counts["again"] += 1
            return -1
        except BaseException as error:  # noqa: BLE001 - polars' panics are no Exception
            self._counts[f"raised {type(error).__name__}"] += 1
            return -1
        here = set(ids)
        self._counts["doubled"] += len(ids) - len(here)
        self._counts["vanished"] += len(self._seen - here)
        self._seen |= here
        return len(ids)


def main(lab: Path) -> None:
    """Look whenever told to."""
    warnings.simplefilter("ignore")  # what a kill tore is counted at the end
    counts: Counter[str] = Counter()
    ours = Reader(
        lambda: scan(lab).select("event_id").collect()["event_id"].to_list(), counts
    )
    plain = Reader(
        lambda: pl.read_parquet(lab / "log", columns=["event_id"])[
            "event_id"
        ].to_list(),
        counts,
    )
    for _ in sys.stdin:
        plain.look()
        print(json.dumps({"rows": ours.look(), **counts}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

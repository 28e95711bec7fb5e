"""What an export holds, set aside as files until all of it was read.

So a file that turns out to be of another kind, or an interrupt, leaves the log as it
was. In memory are some thousand rows at a time, and of every row its keys, 60 bytes.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from lectr_lab.log.schema import polars_schema

ROWS_AT_ONCE = 50_000
KEY_BYTES = slice(6, None)
"""Of an event's id: what is made of the source's own id, behind its time."""

KEYS = pl.Schema(
    {
        "key": pl.Binary(),
        "alias": pl.Binary(),
        "response": pl.String(),
        "request": pl.String(),
        "output": pl.Int64(),
        "started_at": pl.Datetime("us", "UTC"),
        "fingerprint": pl.UInt64(),
        "file": pl.UInt32(),
        "row": pl.UInt32(),
    }
)
"""What is kept of each row that was set aside. `fingerprint` is of all that it says."""

PROVIDER_IDS = {"response": "provider_response_id", "request": "provider_request_id"}
"""What `KEYS` calls the ids that a provider gave, and the columns that have them."""

# Compaction may drop it; nobody is told less by a row that lacks it.
_NOT_COMPARED = ("event_id", "provider_request_id")
_FEWEST_IN_AN_ID = 12  # characters: servers at home count their replies from 1


def fingerprint() -> pl.Expr:
    """Of two rows that say the same, the same number; within one process."""
    names = [name for name in polars_schema() if name not in _NOT_COMPARED]
    return pl.struct(names).hash(0).alias("fingerprint")


def key() -> pl.Expr:
    """What of an event's id is made of the source's own."""
    return pl.col("event_id").bin.slice(KEY_BYTES.start).alias("key")


def provider_ids() -> list[pl.Expr]:
    """The provider's ids of the reply and of the request, where no other call has them.

    A gateway may give one id to all requests that it makes for another: with an id of a
    request goes how much was answered.
    """
    reply, request = (pl.col(column) for column in PROVIDER_IDS.values())
    with_output = pl.format("{} {}", request, pl.col("output_tokens").fill_null(-1))
    return [
        pl.when(reply.str.len_bytes() >= _FEWEST_IN_AN_ID)
        .then(reply)
        .alias("response"),
        pl.when(request.str.len_bytes() >= _FEWEST_IN_AN_ID)
        .then(with_output)
        .alias("request"),
    ]


class Told(NamedTuple):
    """What tells a row beside its own columns: `identity` of its alias; see Imported."""

    alias: bytes | None = None
    is_own: bool = False


class Staging:
    """Rows set aside in a folder, a day a file; `keys` tells them apart."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: dict[date, list[tuple[dict[str, Any], Told]]] = {}
        self._count = 0
        self._files: list[Path] = []
        self._keys: list[pl.DataFrame] = []

    def add(self, event: dict[str, Any], told: Told) -> None:
        """One event with a time, by column."""
        day = event["started_at"].date()
        self._waiting.setdefault(day, []).append((event, told))
        self._count += 1
        if self._count >= ROWS_AT_ONCE:
            self._write()

    def keys(self) -> pl.DataFrame:
        """The columns of KEYS, a row for each event, in the order they came by day."""
        self._write()
        return pl.concat(self._keys) if self._keys else pl.DataFrame(schema=KEYS)

    def rows(self, kept: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """Those of `keys` that are in `kept`, file by file."""
        for (file,), rows in kept.sort("file", "row").group_by(
            "file", maintain_order=True
        ):
            staged = pl.read_parquet(self._files[int(str(file))])
            yield staged[rows["row"]]

    def _write(self) -> None:
        for day in sorted(self._waiting):
            events, told = zip(*self._waiting[day], strict=True)
            rows = as_frame(events)
            number = len(self._files)
            path = self._folder / f"{number}.parquet"
            rows.write_parquet(path, compression="lz4")
            self._files.append(path)
            self._keys.append(_keys(rows, told, number))
        self._waiting, self._count = {}, 0


def as_frame(events: "tuple[Mapping[str, Any], ...]") -> pl.DataFrame:
    """Events as rows with all the columns of the log."""
    said = {name for event in events for name in event}
    none = pl.Series([None]).new_from_index(0, len(events))
    return pl.DataFrame(
        [
            pl.Series(name, [e.get(name) for e in events], dtype, strict=False)
            if name in said
            else none.cast(dtype).alias(name)
            for name, dtype in polars_schema().items()
        ]
    )


def _keys(rows: pl.DataFrame, told: tuple[Told, ...], file: int) -> pl.DataFrame:
    own = pl.Series([one.is_own for one in told], dtype=pl.Boolean)
    return rows.select(
        key(),
        pl.Series("alias", [one.alias for one in told], pl.Binary),
        *(
            pl.when(~own).then(id_).alias(id_.meta.output_name())
            for id_ in provider_ids()
        ),
        pl.col("output_tokens").alias("output"),
        "started_at",
        fingerprint(),
        pl.lit(file, pl.UInt32).alias("file"),
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"),
    )

"""What a row costs by who asks, and in which run, after compaction.

`python tests/benchmarks/bench_sessions.py [--rows N] [--order COLUMN…]`

The rows are those of `bench_log.py`, of one day, and the same in each line of the table
but for the columns of the run:

    nobody         as before these columns were filled: all are null
    SDKs           a client and its version, as SDKs say it
    sessions       20 turns each: a client, a session, its user, one subagent with four
                   turns (Codex's name their parent), one side call; as agents send them
    and traces     with a trace of its own for each request

Prints `data/session_bytes.md`. `--order` tries other columns to sort by.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from unittest.mock import patch

import numpy as np
import polars as pl
from bench_log import DAY, PART_ROWS, bytes_by_column, make_rows

from lectr_lab.log.folder import LabFolder
from lectr_lab.log.schema import file_metadata
from lectr_lab.log.upkeep import merge
from lectr_lab.log.upkeep.compact import compact

TURNS = 20
_AT_ONCE = 3  # sessions of one feature and model that are under way together
_USERS = 300
_RUN = ["client", "client_version", "session", "agent", "parent_agent"]
_RUN += ["turn_kind", "user", "trace_id"]
_CLIENTS = {"anthropic": ("claude-code", "2.1.33"), "openai": ("codex", "0.17")}
_SDKS = {"anthropic": ("anthropic-python", "2.1"), "openai": ("openai-python", "2.5")}


def with_clients(
    rows: pl.DataFrame, clients: dict[str, tuple[str, str]], rng: np.random.Generator
) -> pl.DataFrame:
    """A family by provider, in one of three versions."""
    named = {provider: name for provider, (name, _) in clients.items()}
    versions = {provider: version for provider, (_, version) in clients.items()}
    minor = pl.Series(rng.integers(0, 3, rows.height)).cast(pl.String)
    return rows.with_columns(
        client=pl.col("provider").replace_strict(named),
        client_version=pl.col("provider").replace_strict(versions) + "." + minor,
    )


def with_sessions(rows: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Sessions of one feature and model each, several of them under way at a time."""
    numbered = rows.with_row_index("row")
    groups = numbered.partition_by("feature", "model_requested")
    numbers = pl.concat(_sessions(group, rng) for group in groups)
    turns = numbered.join(numbers, on="row", validate="1:1").sort("row")
    drawn = _drawn(turns["session_no"].n_unique(), rng)
    first = pl.col("client_version").first().over("session_no")
    subagent = pl.col("turn").is_between(5, 8)
    kind = pl.when(pl.col("turn") == 0).then(pl.lit("side_call"))
    return (
        turns.with_columns(pl.col("session_no").rank("dense").cast(pl.UInt32) - 1)
        .join(drawn, on="session_no", suffix="_drawn")
        .sort("row")
        .with_columns(
            client_version=first,
            session="session_drawn",
            user="user_drawn",
            agent=pl.when(subagent).then("agent_drawn"),
            parent_agent=pl.when(subagent & (pl.col("client") == "codex")).then(
                "session_drawn"
            ),
            turn_kind=kind.when(subagent)
            .then(pl.lit("subagent"))
            .otherwise(pl.lit("main")),
        )
        .select(rows.columns)
    )


def _sessions(group: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Which session each row belongs to, and which turn of it that is."""
    lanes = rng.integers(0, _AT_ONCE, group.height)
    nth = pl.DataFrame({"row": group["row"], "lane": lanes}).with_columns(
        nth=pl.int_range(pl.len()).over("lane")
    )
    whose = int(rng.integers(0, 2**62))
    number = pl.struct(
        pl.col("lane"), pl.col("nth") // TURNS, pl.lit(whose).alias("group")
    )
    return nth.select("row", session_no=number.hash(), turn=pl.col("nth") % TURNS)


def _drawn(sessions: int, rng: np.random.Generator) -> pl.DataFrame:
    """Random ids in the form that programs send."""
    ids = [_hex(rng, 32) for _ in range(sessions)]
    users = [_hex(rng, 32) for _ in range(_USERS)]
    return pl.DataFrame(
        {
            "session_no": pl.Series(range(sessions), dtype=pl.UInt32),
            "session": [
                f"{i[:8]}-{i[8:12]}-{i[12:16]}-{i[16:20]}-{i[20:]}" for i in ids
            ],
            "user": [users[n] for n in rng.integers(0, _USERS, sessions)],
            "agent": ["a" + _hex(rng, 16) for _ in range(sessions)],
        }
    )


def _hex(rng: np.random.Generator, digits: int) -> str:
    return rng.bytes(digits // 2).hex()


def with_traces(rows: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """One for each request."""
    return rows.with_columns(
        trace_id=pl.Series([_hex(rng, 32) for _ in range(rows.height)])
    )


def measured(rows: pl.DataFrame) -> dict[str, float]:
    """Bytes a row of each column, once the day is compacted."""
    with tempfile.TemporaryDirectory() as folder:
        lab = LabFolder.create(Path(folder) / "lab")
        lab.day(DAY).mkdir()
        for number, part in enumerate(rows.iter_slices(PART_ROWS)):
            part.write_parquet(
                lab.day(DAY) / f"{number:032x}.parquet", metadata=file_metadata()
            )
        compact(lab, today=DAY.replace(year=DAY.year + 1))
        return bytes_by_column(lab)


def table(figures: dict[str, dict[str, float]]) -> str:
    """One line a kind of traffic: all bytes of a row, and those of the run's columns."""
    head = ["traffic", "bytes a row", *_RUN, "the rest"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for name, spent in figures.items():
        own = [spent[column] for column in _RUN]
        cells = [spent["(all)"], *own, spent["(all)"] - sum(own)]
        lines.append(f"| {name} | " + " | ".join(f"{n:.2f}" for n in cells) + " |")
    return "\n".join(lines) + "\n"


_INTRODUCTION = """\
# What a row costs by who asks, and in which run

Printed by `python tests/benchmarks/bench_sessions.py`, which says what each kind of traffic
is: {rows:,} rows of one day, compacted, in bytes a row of each column. Ids are random, so
that of each only its repetition can be saved; a trace's never repeats.

"""


def main(words: Iterable[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--order", nargs="*", default=list(merge.SORTED_BY))
    asked = parser.parse_args(list(words))
    rng = np.random.default_rng(18)
    nobody = make_rows(asked.rows, seed=0)
    sessions = with_sessions(with_clients(nobody, _CLIENTS, rng), rng)
    traffic = {
        "nobody": nobody,
        "SDKs": with_clients(nobody, _SDKS, rng),
        "sessions": sessions,
        "and traces": with_traces(sessions, rng),
    }
    with patch.object(merge, "SORTED_BY", tuple(asked.order)):
        print(_INTRODUCTION.format(rows=asked.rows), end="")
        print(table({name: measured(rows) for name, rows in traffic.items()}), end="")


if __name__ == "__main__":
    main(sys.argv[1:])

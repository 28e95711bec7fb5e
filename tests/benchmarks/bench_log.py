"""The log's figures: `python tests/benchmarks/bench_log.py [--rows N] [--big N]`.

    bytes     a row after compaction, and what they are spent on
    writer    events a second through the journal, on one core
    scan      `scan()` of many rows against plain `pl.scan_parquet` of the same parts
    verify    CPU of the first look at every part, as a share of a first `spend`
    memory    the most that compacting many rows holds

Rows are made: token counts, times and arrivals are drawn from the public traces in
`../shared/datasets/traces` (real rows, jittered so that none repeats), and every column
is filled as real traffic fills it: ids are random in their providers' own form, what a
normal call does not have is null. Ratios hold across machines; absolutes do not.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

import lectr_lab
from lectr_lab.core.event import Event
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.journal import JournalWriter
from lectr_lab.log.scan import scan
from lectr_lab.log.schema import file_metadata, polars_schema
from lectr_lab.log.upkeep.merge import ROWS

TRACES = Path(__file__).parents[3] / "shared" / "datasets" / "traces"
DAY = date(2026, 11, 23)
PART_ROWS = 20_000  # what an 8 MB segment holds
_BASE62 = np.frombuffer(
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", np.uint8
)
_MODELS = [  # requested, actual, provider, share
    ("gpt-4o-mini", "gpt-4o-mini-2024-07-18", "openai", 0.45),
    ("gpt-4o", "gpt-4o-2024-08-06", "openai", 0.15),
    ("gpt-5-mini", "gpt-5-mini-2025-08-07", "openai", 0.1),
    ("claude-sonnet-4-5", "claude-sonnet-4-5-20250929", "anthropic", 0.2),
    ("claude-haiku-4-5", "claude-haiku-4-5-20251001", "anthropic", 0.1),
]
_FEATURES = [f"feature-{i}" for i in range(14)]
_TASKS = ["classification", "summarisation", "extraction", "generation", "reasoning"]


def make_rows(count: int, seed: int) -> pl.DataFrame:
    """One day's events, in order of time, with the columns of the log."""
    rng = np.random.default_rng(seed)
    shapes = _shapes()
    base = shapes[rng.integers(0, shapes.height, count)]
    jitter = rng.lognormal(0, 0.15, count)
    input_tokens = np.maximum(1, base["input"].to_numpy() * jitter).astype(np.int64)
    output_tokens = np.maximum(1, base["output"].to_numpy() / jitter).astype(np.int64)
    waited = base["ttft_ms"].to_numpy() * rng.lognormal(0, 0.3, count)
    per_token = base["ms_per_token"].to_numpy() * rng.lognormal(0, 0.2, count)
    overhead_ms = rng.lognormal(-0.7, 0.4, count)
    total_ms = waited + per_token * output_tokens + overhead_ms
    started_us = _arrivals(count, rng)
    facts = {
        "event_id": _ids(started_us // 1000, rng),
        "started_at": pl.Series(started_us).cast(pl.Datetime("us", "UTC")),
        "total_ms": total_ms.round(3),
        "ttfb_ms": (waited * rng.uniform(0.9, 1, count)).round(3),
        "ttft_ms": waited.round(3),
        "overhead_ms": overhead_ms.round(3),
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
    }
    return _with_names(pl.DataFrame(facts), rng).select(
        _column(name, dtype) for name, dtype in polars_schema().items()
    )


def _column(name: str, dtype: pl.DataType) -> pl.Expr:
    return (_FILLED[name] if name in _FILLED else pl.lit(None)).cast(dtype).alias(name)


def _shapes() -> pl.DataFrame:
    """Real calls: tokens in and out, time to first token, time per token."""
    sessions = pl.read_parquet(TRACES / "claude_code_sessions.parquet").select(
        input=pl.col("input_tokens"),
        output=pl.col("output_tokens"),
        ttft_ms=pl.col("ttft_s") * 1000,
        total_ms=pl.col("api_time_s") * 1000,
    )
    providers = pl.read_parquet(TRACES / "llmperf_providers.parquet").select(
        input=pl.col("prompt_tokens"),
        output=pl.col("completion_tokens"),
        ttft_ms=pl.col("ttft_s") * 1000,
        total_ms=pl.col("end_to_end_latency_s") * 1000,
    )
    timed = pl.concat([sessions, providers], how="vertical_relaxed").filter(
        pl.col("ttft_ms") > 0, pl.col("output") > 0, pl.col("total_ms").is_not_null()
    )
    timed = timed.with_columns(
        ms_per_token=((pl.col("total_ms") - pl.col("ttft_ms")) / pl.col("output")).clip(
            0.5, 200
        )
    )
    azure = pl.read_parquet(TRACES / "azure_llm_2023.parquet").select(
        input="prompt_tokens", output="completion_tokens"
    )
    pace = timed.select("ttft_ms", "ms_per_token").sample(
        azure.height, with_replacement=True, seed=1
    )
    return pl.concat(
        [
            azure.hstack(pace),
            timed.select("input", "output", "ttft_ms", "ms_per_token"),
        ],
        how="vertical_relaxed",
    ).filter(pl.col("output") > 0)


def _arrivals(count: int, rng: np.random.Generator) -> np.ndarray:
    """Real gaps of an hour of traffic, drawn and stretched over a day."""
    at = pl.read_parquet(TRACES / "azure_llm_2023.parquet")["timestamp"].sort()
    gaps = at.diff().drop_nulls().dt.total_microseconds().to_numpy() + 1
    drawn = np.cumsum(rng.choice(gaps, count) * rng.uniform(0.5, 1.5, count))
    midnight = int(datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC).timestamp())
    return (midnight * 1_000_000 + drawn / drawn[-1] * 86_399_000_000).astype(np.int64)


def _ids(unix_ms: np.ndarray, rng: np.random.Generator) -> pl.Series:
    """UUIDv7 as bytes."""
    raw = rng.integers(0, 256, (len(unix_ms), 16), np.uint8)
    raw[:, :6] = unix_ms.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 2:]
    raw[:, 6] = raw[:, 6] & 0x0F | 0x70
    raw[:, 8] = raw[:, 8] & 0x3F | 0x80
    return pl.Series([bytes(row) for row in raw])


def _with_names(rows: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    count = rows.height
    model = rng.choice(len(_MODELS), count, p=[m[3] for m in _MODELS])
    feature = np.minimum(rng.geometric(0.25, count), len(_FEATURES)) - 1
    names = pl.DataFrame(
        {
            "model": model,
            "feature_no": feature,
            "request_id": _request_ids(model >= 3, rng),
            "noise": rng.uniform(0, 1, count),
            "noise_2": rng.uniform(0, 1, count),
            "chars_per_token": rng.normal(4.2, 0.25, count),
            "failed": rng.uniform(0, 1, count) < 0.015,
        }
    )
    table = pl.DataFrame(
        _MODELS, ["requested", "actual", "provider", "share"], orient="row"
    )
    return rows.hstack(names).hstack(table[model])


def _request_ids(is_anthropic: np.ndarray, rng: np.random.Generator) -> pl.Series:
    count = len(is_anthropic)
    hexes = [b.hex() for b in map(bytes, rng.integers(0, 256, (count, 16), np.uint8))]
    words = _BASE62[rng.integers(0, 62, (count, 24))]
    return pl.Series(
        f"req_{bytes(word).decode() if anthropic else hexed}"
        for anthropic, hexed, word in zip(is_anthropic, hexes, words, strict=True)
    )


_ok = ~pl.col("failed")
_no = pl.col("feature_no")
_input, _output = pl.col("input_tokens"), pl.col("output_tokens")
_chars = (_input * pl.col("chars_per_token")).cast(pl.Int64)
_out_chars = (_output * (pl.col("chars_per_token") + 0.3)).cast(pl.Int64)
_streams = _no % 3 != 0
_FILLED: dict[str, pl.Expr] = {
    **{n: pl.col(n) for n in ("event_id", "started_at", "total_ms", "overhead_ms")},
    "org": pl.when(_no % 2 == 0).then(pl.lit("acme")).otherwise(pl.lit("globex")),
    "feature": pl.lit("feature-") + _no.cast(pl.String),
    "feature_valid": pl.lit(True),
    "task": _no.replace_strict(
        {i: _TASKS[i % 5] for i in range(len(_FEATURES))}, return_dtype=pl.String
    ),
    "kind": pl.lit("request"),
    "path": pl.when(pl.col("provider") == "openai")
    .then(pl.lit("/v1/chat/completions"))
    .otherwise(pl.lit("/v1/messages")),
    "operation": pl.when(pl.col("provider") == "openai")
    .then(pl.lit("chat"))
    .otherwise(pl.lit("messages")),
    "provider": pl.col("provider"),
    "provider_source": pl.lit("model"),
    "model_requested": pl.col("requested"),
    "model_sent": pl.col("requested"),
    "model_actual": pl.when(_ok).then("actual"),
    "stream": _streams,
    "include_usage": _streams,
    "status": pl.when(_ok).then(200).otherwise(429),
    "outcome": pl.when(_ok).then(pl.lit("ok")).otherwise(pl.lit("provider_error")),
    "error_type": pl.when(~_ok).then(pl.lit("rate_limit_exceeded")),
    "error_source": pl.when(~_ok).then(pl.lit("provider")),
    "finish_reason": pl.when(_ok).then(
        pl.when(pl.col("noise") < 0.03).then(pl.lit("length")).otherwise(pl.lit("stop"))
    ),
    "choice_count": pl.when(_ok).then(1),
    "retry_count": (pl.col("noise_2") < 0.01).cast(pl.Int64),
    "provider_request_id": pl.col("request_id"),
    "ttfb_ms": pl.col("ttfb_ms"),
    "ttft_ms": pl.when(_ok & _streams).then("ttft_ms"),
    "input_tokens": pl.when(_ok).then(_input),
    "output_tokens": pl.when(_ok).then(_output),
    "cache_read_tokens": pl.when(_ok).then(
        pl.when((pl.col("noise") < 0.4) & (_input > 1024))
        .then((_input * pl.col("noise_2")).cast(pl.Int64) // 128 * 128)
        .otherwise(0)
    ),
    "cache_write_tokens": pl.when(_ok & (pl.col("provider") == "anthropic")).then(0),
    "reasoning_tokens": pl.when(_ok & (pl.col("provider") == "openai")).then(
        pl.when(pl.col("requested") == "gpt-5-mini")
        .then((_output * 0.6).cast(pl.Int64) // 64 * 64)
        .otherwise(0)
    ),
    "input_audio_tokens": pl.when(_ok & (pl.col("provider") == "openai")).then(0),
    "output_audio_tokens": pl.when(_ok & (pl.col("provider") == "openai")).then(0),
    "token_source": pl.when(_ok).then(pl.lit("provider")).otherwise(pl.lit("absent")),
    "output_chars": pl.when(_ok).then(_out_chars),
    "service_tier": pl.when(_ok).then(pl.lit("default")),
    "request_bytes": _chars + 310 + (pl.col("noise") * 60).cast(pl.Int64),
    "response_bytes": pl.when(_streams)
    .then(_output * 187 + _out_chars + 900)
    .otherwise(_out_chars + 720 + (pl.col("noise_2") * 90).cast(pl.Int64)),
    "message_count": 1 + (pl.col("noise") * (1 + _no)).cast(pl.Int64),
    "prompt_chars": _chars,
    "system_chars": 200 + _no * 137,
    "max_output_tokens": pl.when(_no % 2 == 0).then(1024).otherwise(4096),
    "temperature": pl.when(_no % 4 != 0).then((_no % 4) * 0.3),
    "has_tools": _no % 5 == 0,
    "has_images": pl.lit(False),
    "has_audio": pl.lit(False),
    "response_format": pl.when(_no % 5 == 1).then(pl.lit("json_schema")),
    "schema_depth": pl.when(_no % 5 == 1).then(3),
}


def fill(lab: LabFolder, count: int) -> pl.DataFrame:
    """Parts as sealers leave them, of one day; the last batch of rows made."""
    folder = lab.day(DAY)
    folder.mkdir()
    rows = pl.DataFrame()
    for start in range(0, count, ROWS):
        rows = make_rows(min(ROWS, count - start), seed=start)
        for number, part in enumerate(rows.iter_slices(PART_ROWS)):
            part.write_parquet(
                folder / f"{start + number:032x}.parquet",
                compression="zstd",
                compression_level=3,
                metadata=file_metadata(),
            )
    return rows


def compacted(lab: LabFolder) -> dict[str, float]:
    """Compact in a process of its own; seconds, and the most memory it held."""
    code = (
        "import resource, sys; from datetime import date; from pathlib import Path;"
        "from lectr_lab.log.upkeep.compact import compact;"
        "from lectr_lab.log.folder import LabFolder;"
        "print(compact(LabFolder(Path(sys.argv[1])), today=date(2027, 1, 1))[:6]);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    start = time.perf_counter()
    command = [sys.executable, "-c", code, str(lab.root)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    report, max_rss_kb = done.stdout.splitlines()
    print(report)
    return {"seconds": seconds, "max_rss_mb": int(max_rss_kb) / 1024}


def bytes_by_column(lab: LabFolder) -> dict[str, float]:
    """What a row costs in each column, and what the files cost beside them."""
    spent: Counter[str] = Counter()
    rows = size = 0
    for part in lab.log.rglob("*.parquet"):
        about = pq.read_metadata(part)
        rows, size = rows + about.num_rows, size + part.stat().st_size
        for group in map(about.row_group, range(about.num_row_groups)):
            for column in map(group.column, range(group.num_columns)):
                spent[column.path_in_schema] += column.total_compressed_size
    spent["(footers)"] = size - sum(spent.values())
    spent["(all)"] = size
    return {name: spent_bytes / rows for name, spent_bytes in spent.most_common()}


def writer_events_per_s(lab: LabFolder, rows: pl.DataFrame) -> float:
    """Through the journal in batches of 500, in seconds of CPU."""
    events = [Event(**row) for row in rows.head(100_000).iter_rows(named=True)]
    writer = JournalWriter(lab)
    start = time.process_time()
    for at in range(0, len(events), 500):
        writer.append(events[at : at + 500])
        if writer.due():
            writer.rotate()
    writer.close()
    return len(events) / (time.process_time() - start)


def scan_ratio(lab: LabFolder) -> float:
    """Median over rounds of `scan()` against a plain scan, same query."""

    def query(log: pl.LazyFrame) -> None:
        totals = pl.len(), pl.sum("input_tokens"), pl.mean("total_ms")
        log.group_by("feature").agg(totals).collect()

    ratios = []
    for _ in range(9):
        start = time.perf_counter()
        query(pl.scan_parquet(lab.log, hive_partitioning=False))
        plain = time.perf_counter() - start
        start = time.perf_counter()
        query(scan(lab.root))
        ratios.append((time.perf_counter() - start) / plain)
    return float(np.median(ratios))


def verify_share(lab: LabFolder) -> float:
    """Of a first `spend` over rows: what comparing parts with their checksums takes."""
    (lab.state / "verified").unlink(missing_ok=True)
    cpu_s = []
    for _ in range(2):
        start = time.process_time()
        scan(lab.root)
        cpu_s.append(time.process_time() - start)
    start = time.process_time()
    lectr_lab.spend(lectr_lab.scan(lab.root), by="feature").collect()
    first, again = cpu_s
    return (first - again) / (first + time.process_time() - start)


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=500_000, help="for bytes a row")
    parser.add_argument("--big", type=int, default=10_000_000, help="for memory, scan")
    asked = parser.parse_args()
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder:
        lab = LabFolder.create(Path(folder) / "lab")
        rows = fill(lab, asked.rows)
        figures["compact"] = compacted(lab)
        figures["bytes_by_column"] = bytes_by_column(lab)
        journal = LabFolder.create(Path(folder) / "journal")
        figures["writer_events_per_cpu_s"] = writer_events_per_s(journal, rows)
    with tempfile.TemporaryDirectory() as folder:
        lab = LabFolder.create(Path(folder) / "lab")
        fill(lab, asked.big)
        figures["scan_ratio_as_sealed"] = scan_ratio(lab)
        figures["compact_big"] = compacted(lab)
        figures["verify_share"] = verify_share(lab)
        figures["scan_ratio_compacted"] = scan_ratio(lab)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()

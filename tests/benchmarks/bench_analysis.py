"""How long the views take on many rows, beside DuckDB on the same files.

    python tests/benchmarks/bench_analysis.py [rows, default 10,000,000]

Rows are made up, from a seed. Each contestant runs in a process of its own (so that
its peak memory is its own), in turn, three times; the best time of each is shown.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from lectr_lab.analysis import rows
from lectr_lab.analysis.binned import binned_latency
from lectr_lab.analysis.groups import grouped
from lectr_lab.analysis.health import error_measures
from lectr_lab.analysis.pricing import priced
from lectr_lab.analysis.ratio import with_ratios
from lectr_lab.analysis.spend import spend_measures
from lectr_lab.log.scan import scan
from lectr_lab.log.schema import file_metadata, polars_schema

ROUNDS = 3
PART = 1_000_000
DAYS = 28
BY = ["feature", "model"]
MODELS = [
    ("openai", "gpt-5.4-mini-2026-03-17"),
    ("openai", "gpt-4.1-mini-2025-04-14"),
    ("anthropic", "claude-sonnet-5-5"),
    ("gemini", "gemini-3.8-flash"),
    ("groq", "openai/gpt-oss-120b"),
    ("azure", "gpt-5.4-2026-03-05"),
]
START = datetime(2026, 10, 26, tzinfo=UTC)


def make(folder: Path, total: int) -> None:
    """Parts of the log's schema, a million rows each."""
    rng = np.random.default_rng(7)
    for number in range(-(-total // PART)):
        n = min(PART, total - number * PART)
        part(rng, n, number).write_parquet(
            folder / f"{number:04}.parquet", metadata=file_metadata()
        )


def part(rng: np.random.Generator, n: int, number: int) -> pl.DataFrame:
    which = rng.integers(0, len(MODELS), n)
    models = pl.Series([m for _, m in MODELS])[which]
    failed = pl.Series(rng.random(n) < 0.03)
    input_tokens = pl.Series(np.exp(rng.normal(6.9, 1.0, n)).astype(np.int64) + 1)
    output_tokens = pl.Series(np.exp(rng.normal(4.9, 0.9, n)).astype(np.int64) + 1)
    at = rng.integers(0, DAYS * 86_400_000_000, n)
    at.sort()
    columns = {
        "event_id": pl.Series(np.arange(n) + number * PART)
        .cast(pl.String)
        .cast(pl.Binary),
        "started_at": pl.Series(at).cast(pl.Duration("us")) + pl.Series([START]),
        "org": pl.repeat("acme", n, eager=True),
        "feature": pl.Series([f"feature-{i}" for i in range(20)])[
            rng.integers(0, 20, n)
        ],
        "kind": pl.repeat("request", n, eager=True),
        "path": pl.repeat("/v1/chat/completions", n, eager=True),
        "operation": pl.repeat("chat", n, eager=True),
        "provider": pl.Series([p for p, _ in MODELS])[which],
        "model_requested": models,
        "model_sent": models,
        "model_actual": models,
        "outcome": pl.select(
            pl.when(failed).then(pl.lit("provider_error")).otherwise(pl.lit("ok"))
        ).to_series(),
        "total_ms": pl.Series(np.round(np.exp(rng.normal(7.5, 0.9, n)), 3)),
        "input_tokens": pl.select(pl.when(~failed).then(input_tokens)).to_series(),
        "output_tokens": pl.select(pl.when(~failed).then(output_tokens)).to_series(),
        "cache_read_tokens": pl.select(
            pl.when(~failed & (input_tokens % 3 == 0)).then(input_tokens // 2)
        ).to_series(),
        "token_source": pl.repeat("provider", n, eager=True),
        "prompt_chars": input_tokens * 4,
        "output_chars": output_tokens * 4,
        "stream": pl.repeat(False, n, eager=True),
    }
    schema = polars_schema()
    empty = [
        pl.lit(None, kind).alias(c) for c, kind in schema.items() if c not in columns
    ]
    return pl.DataFrame(columns).with_columns(empty).select(list(schema))


def measures(with_spend: bool) -> list[pl.Expr]:
    ms = pl.col("total_ms").filter(rows.succeeded())
    percentiles = [ms.quantile(p / 100, "linear").alias(f"p{p}") for p in (50, 95, 99)]
    money = spend_measures()[1:] if with_spend else []
    return [*error_measures(), *money, *percentiles]


def by_day(log: pl.LazyFrame, with_spend: bool) -> pl.DataFrame:
    found = grouped(log, measures(with_spend), by=BY, every="1d")
    return found.collect(engine="streaming")


def group_by_alone(folder: Path) -> int:
    return by_day(scan(folder), with_spend=False).height


def pricing_alone(folder: Path) -> int:
    found = priced(scan(folder)).select(pl.col("cost_usd").sum())
    return round(found.collect(engine="streaming").item())


def priced_group_by(folder: Path) -> int:
    return by_day(priced(scan(folder)), with_spend=True).height


def as_users_scan(folder: Path) -> int:
    return by_day(priced(with_ratios(scan(folder))), with_spend=True).height


def binned(folder: Path) -> int:
    """Percentiles of all four durations from bins, instead of exact ones of one."""
    found = binned_latency(scan(folder), BY, every="1d")
    return found.collect(engine="streaming").height


def materialise(folder: Path) -> int:
    """The scan that the others are compared with: the columns they need, in memory."""
    columns = [
        "org",
        "feature",
        "kind",
        "model_actual",
        "model_sent",
        "model_requested",
    ]
    columns += ["started_at", "outcome", "retry_count", "total_ms", "operation"]
    columns += ["provider", "input_tokens", "output_tokens", "cache_read_tokens"]
    return scan(folder).select(columns).collect(engine="streaming").height


def duckdb_same(folder: Path) -> int:
    """The same groups, sums and percentiles; prices are joined from a table."""
    import duckdb

    prices = ", ".join(f"('{m}', 0.5e-6, 0.1e-6, 2e-6)" for _, m in MODELS)
    answer = duckdb.sql(f"""
        with price(name, input, cached, output) as (values {prices}),
        log as (
            select *, coalesce(model_actual, model_sent, model_requested) as model
            from read_parquet('{folder}/*.parquet')
        )
        select org, feature, model, date_trunc('day', started_at) as time,
            count(*) as requests,
            count(*) filter (outcome not in ('ok', 'client_disconnect')) as errors,
            sum((input_tokens - coalesce(cache_read_tokens, 0)) * input
                + coalesce(cache_read_tokens, 0) * cached + output_tokens * output),
            quantile_cont(total_ms, [0.5, 0.95, 0.99]) filter (outcome = 'ok')
        from log left join price on model = name
        where kind = 'request'
        group by all
    """).fetchall()
    return len(answer)


CONTESTANTS: dict[str, Callable[[Path], int]] = {
    f.__name__: f
    for f in (
        materialise,
        group_by_alone,
        pricing_alone,
        priced_group_by,
        as_users_scan,
        binned,
        duckdb_same,
    )
}


def one(name: str, folder: Path) -> None:
    """One run, in this process: seconds and peak MiB on stdout."""
    start = time.perf_counter()
    answer = CONTESTANTS[name](folder)
    seconds = time.perf_counter() - start
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps({"s": seconds, "mib": peak_mib, "answer": answer}))


def main(total: int) -> None:
    with tempfile.TemporaryDirectory(prefix="bench-analysis-") as scratch:
        folder = Path(scratch)
        make(folder, total)
        best: dict[str, dict[str, float]] = {}
        for _ in range(ROUNDS):
            for name in CONTESTANTS:
                command = [sys.executable, __file__, "--one", name, scratch]
                done = subprocess.run(
                    command, capture_output=True, check=True, text=True
                )
                run = json.loads(done.stdout)
                best[name] = min(best.get(name, run), run, key=lambda r: r["s"])
    lines = [
        f"{total:,} rows, best of {ROUNDS}",
        f"{'':18}{'s':>8}{'MiB':>8}{'answer':>10}",
    ]
    lines += [
        f"{name:18}{run['s']:8.2f}{run['mib']:8.0f}{run['answer']:10,}"
        for name, run in best.items()
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], Path(sys.argv[3]))
    else:
        main(int(sys.argv[1].replace(",", "")) if sys.argv[1:] else 10_000_000)

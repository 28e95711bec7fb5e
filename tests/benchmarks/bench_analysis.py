"""How long the views take on many rows, beside DuckDB on the same files.

    python tests/benchmarks/bench_analysis.py [rows, default 10,000,000] [name …]

Rows are made up, from a seed. Each contestant runs in a process of its own (so that
its peak memory is its own), in turn, three times; the best time of each is shown, and
the processor seconds of that run, which other work on the machine disturbs less. Below
the table are the bars, each with what was measured. `binned_thrice` reads three times
the rows; `first_chart` and `imports_and_scan` take a million, and their seconds are
those of a whole process, the start of Python included. What each view of the window
takes, `every_view.py` beside this says.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from lectr_lab.analysis.pricing import priced as pricing
from lectr_lab.analysis.pricing.billing import UNITS
from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.pricing.token_ratio import with_ratios
from lectr_lab.analysis.views.groups import grouped, key_columns
from lectr_lab.analysis.views.health import error_measures, latency
from lectr_lab.analysis.views.percentiles import with_percentiles
from lectr_lab.analysis.views.sessions import sessions
from lectr_lab.analysis.views.spend import spend_measures
from lectr_lab.core.pricing.price_changes import change_days, list_changes
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
    total_ms = np.exp(rng.normal(7.5, 0.9, n))
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
        "total_ms": pl.Series(np.round(total_ms, 3)),
        "ttfb_ms": pl.Series(np.round(total_ms * rng.uniform(0.1, 0.9, n), 3)),
        "overhead_ms": pl.Series(np.round(np.exp(rng.normal(-0.5, 0.4, n)), 3)),
        "input_tokens": pl.select(pl.when(~failed).then(input_tokens)).to_series(),
        "output_tokens": pl.select(pl.when(~failed).then(output_tokens)).to_series(),
        "cache_read_tokens": pl.select(
            pl.when(~failed & (input_tokens % 3 == 0)).then(input_tokens // 2)
        ).to_series(),
        "token_source": pl.repeat("provider", n, eager=True),
        "prompt_chars": input_tokens * 4,
        "output_chars": output_tokens * 4,
        "stream": pl.repeat(False, n, eager=True),
        "session": session_ids(rng, n, number),
    }
    schema = polars_schema()
    empty = [
        pl.lit(None, kind).alias(c) for c, kind in schema.items() if c not in columns
    ]
    return pl.DataFrame(columns).with_columns(empty).select(list(schema))


def session_ids(rng: np.random.Generator, n: int, number: int) -> pl.Series:
    """Twenty requests of each, ten of them at a time; as long as a UUID."""
    which = number * PART + np.arange(n) // 200 * 10 + rng.integers(0, 10, n)
    digits = pl.Series(which).cast(pl.String).str.zfill(12)
    return "01a228ed-95bb-7921-9f8e-" + digits


def by_day(log: pl.LazyFrame, sums: list[pl.Expr]) -> int:
    """Sums and exact percentiles of the total time, by feature, model and day."""
    keys = key_columns(log, BY, every="1d")
    by_group = grouped(log, sums, by=BY, every="1d")
    found = with_percentiles(by_group, log, keys, "exact", of=["total"])
    # As `lectr-lab report` does it: what is read once for two uses is kept whole.
    apart = pl.QueryOptFlags(comm_subplan_elim=False)
    shown = found.collect(engine="streaming", optimizations=apart)
    return shown.height


def group_by_alone(folder: Path) -> int:
    return by_day(scan(folder), error_measures())


def pricing_alone(folder: Path) -> int:
    found = priced(scan(folder)).select(pl.col("cost_usd").sum())
    return round(found.collect(engine="streaming").item())


def priced_group_by(folder: Path) -> int:
    return by_day(priced(scan(folder)), [*error_measures(), *spend_measures()[1:]])


def as_users_scan(folder: Path) -> int:
    log = priced(with_ratios(scan(folder)))
    return by_day(log, [*error_measures(), *spend_measures()[1:]])


def binned(folder: Path) -> int:
    """Percentiles of all four durations and the speed, not exact ones of one."""
    found = latency(scan(folder), BY, every="1d", percentiles="binned")
    return found.collect(engine="streaming").height


def by_session(folder: Path) -> int:
    """A row each of half a million sessions."""
    found = sessions(priced(with_ratios(scan(folder))))
    apart = pl.QueryOptFlags(comm_subplan_elim=False)
    return found.collect(engine="streaming", optimizations=apart).height


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


def duckdb_alone(folder: Path) -> int:
    """The same groups, sums and percentiles as `group_by_alone`."""
    return duckdb_by_day(f"select * from read_parquet('{folder}/*.parquet')")


def duckdb_priced(folder: Path) -> int:
    """The same with a spend of three made-up prices a model, joined from a table.

    That is less than `priced` looks at, and another spend than it finds.
    """
    prices = ", ".join(f"('{m}', 0.5e-6, 0.1e-6, 2e-6)" for _, m in MODELS)
    return duckdb_by_day(
        f"""
        select log.*, (input_tokens - coalesce(cache_read_tokens, 0)) * input
            + coalesce(cache_read_tokens, 0) * cached + output_tokens * output as usd
        from read_parquet('{folder}/*.parquet') as log
        left join (values {prices}) as price(name, input, cached, output)
            on coalesce(model_actual, model_sent, model_requested) = name
        """,
        SPEND,
    )


def duckdb_priced_alike(folder: Path) -> int:
    """The same with the list's prices, and so with the spend that `priced` finds.

    By provider, model, day and length, every count at its rate. Left out is that counts
    may contradict each other.
    """
    rates = [f"{count}_rate" for count in UNITS]
    usd = " + ".join(f"coalesce({count}, 0) * {count}_rate" for count in UNITS)
    columns = ", ".join(["vendor", "name", "since", "until", "low", "high", *rates])
    return duckdb_by_day(
        f"""
        select log.*, if(input_tokens is null, null, ({usd}) / 1e12) as usd
        from read_parquet('{folder}/*.parquet') as log
        left join (values {", ".join(list_prices())}) as price({columns})
            on provider = vendor and service_tier is null
            and coalesce(model_actual, model_sent, model_requested) = name
            and started_at >= since and started_at < until
            and coalesce(input_tokens, 0) > low and coalesce(input_tokens, 0) <= high
        """,
        SPEND,
    )


def list_prices() -> list[str]:
    """Rows of SQL, as few as say it: whose, since, until, of which lengths, the rates."""
    changes = list_changes()
    cuts = pricing._Cuts(change_days(()), [], sorted(changes.input_tokens))
    days = [date(1970, 1, 1), *cuts.days, date(2100, 1, 1)]
    lengths = [-1, *cuts.input_tokens, 10**9]

    def rates(model: tuple[str, str], day: int, length: int) -> tuple[int, ...]:
        kind = (*model, None, day * pricing._CUTS**2 + length)
        return pricing._look_up(kind, cuts, pricing._NAMES, ())[-len(UNITS) :]

    return [
        f"('{vendor}', '{name}', "
        f"timestamptz '{since} 00:00:00+00', timestamptz '{until} 00:00:00+00', "
        f"{low}, {high}, {', '.join(map(str, found))})"
        for vendor, name in MODELS
        for since, until, bands in joined(
            (
                *ends,
                joined(
                    (*span, rates((vendor, name), day, length))
                    for length, span in enumerate(pairwise(lengths))
                ),
            )
            for day, ends in enumerate(pairwise(days))
        )
        for low, high, found in bands
    ]


def joined(spans: Iterable[tuple[Any, Any, Any]]) -> list[tuple[Any, Any, Any]]:
    """Start, end and value: neighbours of one value become one."""
    found: list[tuple[Any, Any, Any]] = []
    for start, end, value in spans:
        begun = found.pop()[0] if found and found[-1][2] == value else start
        found.append((begun, end, value))
    return found


SPEND = (
    "sum(usd), count(usd), count(*) filter (usd is null and input_tokens is not null), "
    "count(*) filter (usd is not null and token_source in ('tokenizer', 'ratio')),"
)


def duckdb_by_day(log: str, sums: str = "") -> int:
    import duckdb

    answer = duckdb.sql(f"""
        select org, coalesce(feature, 'untagged') as feature,
            coalesce(model_actual, model_sent, model_requested) as model,
            date_trunc('day', started_at) as time, count(*) as requests, {sums}
            count(*) filter (outcome not in ('ok', 'client_disconnect')) as errors,
            count(*) filter (outcome = 'client_disconnect') as client_disconnects,
            count(*) filter (retry_count > 0) as retries,
            quantile_cont(total_ms, [0.5, 0.95, 0.99]) filter (outcome = 'ok'),
            count(total_ms) filter (outcome = 'ok') as n
        from ({log}) where kind = 'request' group by 1, 2, 3, 4
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
        by_session,
        duckdb_alone,
        duckdb_priced,
        duckdb_priced_alike,
    )
}
CONTESTANTS["binned_thrice"] = binned


# Contestants that begin with Python itself; `folder` is what they read.
PROGRAMS = {
    "imports_and_scan": """
import polars, altair
columns = ["org", "feature", "kind", "started_at", "operation", "outcome"]
columns += ["provider", "model_actual", "model_sent", "model_requested"]
columns += ["service_tier", "stream", "token_source", "prompt_chars", "output_chars"]
columns += ["input_tokens", "output_tokens", "cache_read_tokens"]
answer = polars.scan_parquet(folder).select(columns).collect().height
""",
    "first_chart": """
import lectr_lab as lectr
chart = lectr.spend_bars(lectr.spend(lectr.scan(folder)).collect())
answer = len(chart.to_json())
""",
}
_SAY = """
import json, resource, time
mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"cpu": time.process_time(), "mib": mib, "answer": answer}))
"""


def run(name: str, folder: Path) -> dict[str, float]:
    """One contestant, in a process of its own."""
    program = [__file__, "--one", name]
    if name in PROGRAMS:
        program = ["-c", f"import sys\nfolder = sys.argv[1]{PROGRAMS[name]}{_SAY}"]
    command = [sys.executable, *program, str(folder)]
    start = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return {"s": time.perf_counter() - start} | json.loads(done.stdout)


def logs(scratch: Path, total: int, names: list[str]) -> dict[str, Path]:
    """Makes the logs that are needed: which each contestant reads."""
    rows = {"binned_thrice": 3 * total, **dict.fromkeys(PROGRAMS, PART)}
    found = {name: scratch / str(rows.get(name, total)) for name in names}
    for folder in set(found.values()):
        folder.mkdir()
        make(folder, int(folder.name))
    return found


def one(name: str, folder: Path) -> None:
    """One run, in this process: seconds and peak MiB on stdout."""
    start, before = time.perf_counter(), time.process_time()
    answer = CONTESTANTS[name](folder)
    seconds = time.perf_counter() - start
    cpu = time.process_time() - before
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    run = {"s": seconds, "cpu": cpu, "mib": peak_mib, "answer": answer}
    sys.stdout.write(json.dumps(run))


# What is held, against what, and how many times that at most.
BARS = [
    ("group_by_alone", "duckdb_alone", 1.0),
    ("priced_group_by", "duckdb_priced_alike", 1.0),
    ("priced_group_by", "duckdb_priced", 1.0),
    ("group_by_alone", "materialise", 6.0),
    ("priced_group_by", "materialise", 6.0),
    ("pricing_alone", "group_by_alone", 1.0),
    ("first_chart", "imports_and_scan", 2.0),
]
MOST_MIB = 2048


def table(best: dict[str, dict[str, float]]) -> list[str]:
    return [
        f"{'':18}{'s':>8}{'cpu s':>8}{'MiB':>8}{'answer':>10}",
        *(
            f"{name:18}{run['s']:8.2f}{run['cpu']:8.2f}{run['mib']:8.0f}"
            f"{run['answer']:10,}"
            for name, run in best.items()
        ),
    ]


def bars(best: dict[str, dict[str, float]]) -> list[str]:
    times = [
        f"{name} takes {best[name]['s'] / best[other]['s']:.2f} x {other}"
        f" ({best[name]['cpu'] / best[other]['cpu']:.2f} x in cpu s); bar {most:g}"
        for name, other, most in BARS
        if name in best and other in best
    ]
    most_mib = max(run["mib"] for name, run in best.items() if "duckdb" not in name)
    if {"binned", "binned_thrice"} <= best.keys():
        growth = best["binned_thrice"]["mib"] / best["binned"]["mib"] - 1
        times.append(f"binned takes {growth:+.1%} memory for three times the rows")
    return [*times, f"most memory {most_mib:,.0f} MiB; bar {MOST_MIB:,}"]


def main(total: int, names: list[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="bench-analysis-") as scratch:
        folders = logs(Path(scratch), total, names)
        best: dict[str, dict[str, float]] = {}
        for _ in range(ROUNDS):
            for name, folder in folders.items():
                now = run(name, folder)
                best[name] = min(best.get(name, now), now, key=lambda r: r["s"])
    lines = [f"{total:,} rows, best of {ROUNDS}", *table(best), "", *bars(best)]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], Path(sys.argv[3]))
    else:
        rows_asked, *asked = sys.argv[1:] or ["10,000,000"]
        main(int(rows_asked.replace(",", "")), asked or [*CONTESTANTS, *PROGRAMS])

"""What `odd` takes, beside the plainest view by hours: CPU over ten million rows.

    python tests/benchmarks/bench_odd.py FOLDER [ROWS]

Makes a lab of four weeks there, unless there is one, then prints CPU seconds: of a
group-by of features and hours with p95, of `odd` over the rows, and of `odd` over the
last day from kept cells.
"""

import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from odd_measure import START
from odd_traffic import as_log

import lectr_lab as lectr
from lectr_lab.analysis.odd import odd
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.schema import file_metadata

DAYS, FEATURES = 28, 100
MODELS = ("gpt-4o-mini-2024-07-18", "gpt-4o-2024-08-06", "gpt-4.1-mini-2025-04-14")


def fill(lab: LabFolder, rows: int) -> None:
    """Four weeks of made-up requests, a file a day; features as unequal as names are."""
    rng = np.random.default_rng(1)
    share = 1 / np.arange(1, FEATURES + 1)
    n = rows // DAYS
    for day in range(DAYS):
        which = rng.choice(FEATURES, n, p=share / share.sum())
        hour = 12 + 4 * rng.standard_normal(n)
        at = (day * 86_400 + hour % 24 * 3600) * 1e6
        ok = rng.random(n) > 0.01
        sent = np.maximum(1, rng.lognormal(6 + which % 5 / 3, 0.8)).astype(np.int64)
        drawn = pl.DataFrame(
            {
                "started_at": at.astype(np.int64),
                "which": which,
                "ok": ok,
                "total_ms": rng.lognormal(7, 0.6, n),
                "input_tokens": sent,
                "output_tokens": np.maximum(1, rng.lognormal(5, 0.8, n)).astype(int),
                "model": (which + (rng.random(n) < 0.2)) % 3,
            }
        )
        models = pl.Series(MODELS).gather(drawn["model"].cast(pl.UInt32))
        counts = ("input_tokens", "output_tokens")
        log = drawn.select(
            (pl.lit(START) + pl.duration(microseconds="started_at")).alias(
                "started_at"
            ),
            pl.lit("acme").alias("org"),
            pl.format("feature-{}", "which").alias("feature"),
            pl.lit("request").alias("kind"),
            pl.lit("chat").alias("operation"),
            pl.lit("/v1/chat/completions").alias("path"),
            pl.lit("openai").alias("provider"),
            pl.when("ok")
            .then(pl.lit("ok"))
            .otherwise(pl.lit("provider_error"))
            .alias("outcome"),
            models.alias("model_actual"),
            "total_ms",
            *(pl.when("ok").then(name).alias(name) for name in counts),
            pl.when("ok").then(pl.lit("provider")).alias("token_source"),
            pl.lit(0.0).alias("cost_usd"),
        )
        folder = lab.day((START + timedelta(days=day)).date())
        folder.mkdir(parents=True)
        part = as_log(log.sort("started_at")).drop("cost_usd").collect()
        part.write_parquet(folder / "a.parquet", metadata=file_metadata())


def cpu_s(what: Callable[[], Any]) -> float:
    """CPU seconds of this process, all threads."""
    before = time.process_time()
    what()
    return time.process_time() - before


def by_hours(log: pl.LazyFrame) -> pl.DataFrame:
    """The plainest view: requests, errors, spend and p95 of each feature and hour."""
    return (
        log.group_by("feature", pl.col("started_at").dt.truncate("1h"))
        .agg(
            pl.len(),
            errors=(pl.col("outcome") != "ok").sum(),
            usd=pl.col("cost_usd").sum(),
            p95=pl.col("total_ms").quantile(0.95),
        )
        .collect()
    )


def main() -> None:
    """Print the figures."""
    folder = Path(sys.argv[1])
    if not folder.exists():
        fill(LabFolder.create(folder), int((sys.argv[2:] or ["10000000"])[0]))
    now = START + timedelta(days=DAYS)
    priced = lectr.scan(folder)
    plain = priced.select("org", "feature", "started_at", "outcome", "total_ms")
    free = plain.with_columns(cost_usd=pl.lit(0.001))
    lines = {
        "hours, at a price for all": lambda: by_hours(free),
        "hours, priced": lambda: by_hours(priced),
        "odd, rows": lambda: odd(priced, now=now),
        "odd, a lab's first look": lambda: odd(folder, now=now),
        "odd, all from kept cells": lambda: odd(folder, now=now),
        "odd, now, from kept cells": lambda: odd(folder, since="24h", now=now),
    }
    for name, what in lines.items():
        sys.stdout.write(f"{name}: {cpu_s(what):.2f} s\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

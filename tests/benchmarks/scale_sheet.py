"""What a year of 100 million rows takes, and on paper what 10 billion would.

    python tests/benchmarks/scale_sheet.py measure LAB KEPT.json [name …]
    python tests/benchmarks/scale_sheet.py page KEPT.json > data/scale.md

LAB is a lab folder of a year of closed days that were counted (`cells/`); it is read, and
nothing is written to it but months that it lacks. Its first 40 days, with their cells, are
linked into a lab beside it. Each measurement is a process of its own, `ROUNDS` of them in
turn, and the least processor time counts, which other work disturbs least. What is in
KEPT.json already is not measured again, unless it is named.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
from bench_cluster import WORKERS, linked, table

import lectr_lab as lectr
from lectr_lab.analysis.cells.kept import count_closed
from lectr_lab.log.folder import LabFolder

ROUNDS = 2
FEW_DAYS = 40  # above 10 million rows, so that percentiles are binned in both
CLUSTER_DAYS = 6
VIEWS = ("spend", "latency", "errors", "tokens", "summary")
DATA = Path(__file__).parents[2] / "data"
_LOOK_S = 0.02
_PRICES = """
[[price]]
model = "gpt-4o*"
input_usd_per_mtok = 2.1
output_usd_per_mtok = 9.3
cache_read_usd_per_mtok = 1.1
source = "made up"
"""
_SQL = {
    "sums": "count(*), sum(input_tokens), sum(output_tokens), sum(cache_read_tokens)",
    "quantiles": ", ".join(
        f"quantile_cont({ms}, [0.5, 0.95, 0.99])"
        for ms in ("total_ms", "ttfb_ms", "ttft_ms", "overhead_ms")
    ),
}


def _view(name: str, lab: Path, prices: Path | None = None) -> int:
    found = getattr(lectr, name)(lectr.scan(lab, prices)).collect()
    return int(found.height)


def _other_prices(lab: Path) -> int:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "prices.toml"
        file.write_text(_PRICES)
        return _view("spend", lab, file)


def _duckdb(what: str, lab: Path) -> int:
    import duckdb

    files = f"read_parquet('{lab}/log/*/*.parquet', hive_partitioning = false)"
    query = f"select org, feature, {_SQL[what]} from {files} group by org, feature"
    return len(duckdb.sql(query).fetchall())


ASKED: dict[str, Callable[[Path], int]] = {
    **{name: lambda lab, name=name: _view(name, lab) for name in VIEWS},  # type: ignore[misc]
    "spend at other prices": _other_prices,
    "DuckDB, sums": lambda lab: _duckdb("sums", lab),
    "DuckDB, quantiles": lambda lab: _duckdb("quantiles", lab),
}


def _own(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(s.split()[1]) / 1024 for s in lines if s.startswith(field))


def _one(name: str, lab: Path) -> dict[str, float]:
    """Processor seconds of a question alone and of the whole process; its memory."""
    peak, stop = [0.0], threading.Event()

    def watch() -> None:
        while not stop.wait(_LOOK_S):
            peak[0] = max(peak[0], _own("RssAnon"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    before = time.process_time()
    rows = ASKED[name](lab)
    after = time.process_time()
    stop.set()
    watcher.join()
    found = {"cpu": after - before, "whole": after, "anonymous": peak[0]}
    return found | {"mib": _own("VmHWM"), "rows": rows}


def _least(name: str, lab: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--one", name, str(lab)]
    rounds = 1 if name.startswith("DuckDB") else ROUNDS
    found = [
        json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        for _ in range(rounds)
    ]
    return {key: min(one[key] for one in found) for key in found[0]}


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _log(lab: Path) -> dict[str, Any]:
    parts = [*lab.glob("log/*/*.parquet")]
    rows = pl.scan_parquet(parts).select(pl.len()).collect().item()
    cells = {f"{n}_bytes": _bytes(lab / "cells" / n) for n in ("facts", "months")}
    days = len({part.parent for part in parts})
    return {"rows": rows, "days": days, "log_bytes": _bytes(lab / "log"), **cells}


def _beginning(year: Path, lab: Path) -> None:
    """The first days of a year, with their cells; months are added up of these."""
    linked(year, FEW_DAYS, lab)
    for day in sorted((lab / "log").iterdir()):
        name = day.name.removeprefix("date=")
        folder = lab / "cells" / "facts" / name
        folder.mkdir(parents=True)
        for file in (year / "cells" / "facts" / name).iterdir():
            (folder / file.name).hardlink_to(file)
    shutil.copytree(year / "state", lab / "state")  # which parts can be read
    count_closed(LabFolder(lab))


def measure(lab: Path, kept: Path, names: list[str]) -> None:
    """Measure what is not in the file, or is named, and add it."""
    found = json.loads(kept.read_text()) if kept.exists() else {}
    with tempfile.TemporaryDirectory(dir=lab.parent) as scratch:
        few = Path(scratch)
        jobs: dict[str, Callable[[], Any]] = {"log": lambda: _log(lab)}
        for name in ASKED:
            jobs[name] = lambda name=name: _least(name, lab)
            if name in VIEWS:
                jobs[f"{name}, few"] = lambda name=name: _least(name, few)
        jobs["log, few"] = lambda: _log(few)
        jobs["cluster"] = lambda: table(lab, CLUSTER_DAYS)[1]
        wanted = names or [name for name in jobs if name not in found]
        if any(name.endswith("few") for name in wanted):
            _beginning(lab, few)
        for name in wanted:
            at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
            found[name] = jobs[name]() | {"at": at, "load": os.getloadavg()[0]}
            kept.write_text(json.dumps(found, indent=1))


def _of(file: str, pattern: str) -> float:
    """A figure of another page."""
    said = re.search(pattern, (DATA / file).read_text())
    if said is None:
        raise SystemExit(f"data/{file} does not say {pattern!r}")
    return float(said[1].replace(",", ""))


def _views(found: dict[str, Any]) -> list[str]:
    few, many = found["log, few"], found["log"]
    lines = [
        "| ".join(
            [
                "",
                "view ",
                *(f"{of['rows']:,} rows: CPU s | MiB " for of in (few, many)),
                "growth in time | in memory |",
            ]
        ),
        "|---|---|---|---|---|---|---|",
    ]
    for name in VIEWS:
        one, other = found[f"{name}, few"], found[name]
        row = [
            f"{one['cpu']:.2f} ({one['whole']:.2f})",
            f"{one['anonymous']:.0f} ({one['mib']:.0f})",
            f"{other['cpu']:.2f} ({other['whole']:.2f})",
            f"{other['anonymous']:.0f} ({other['mib']:.0f})",
            f"{other['whole'] / one['whole']:.2f}",
            f"{other['anonymous'] / one['anonymous']:.2f}",
        ]
        lines.append(f"| {name} | {' | '.join(row)} |")
    return lines


def _beside(found: dict[str, Any]) -> list[str]:
    lines = ["| question, of the whole year | CPU s | MiB | of DuckDB |"]
    lines.append("|---|---|---|---|")
    ratios = {"spend": "DuckDB, sums", "latency": "DuckDB, quantiles"}
    ratios["spend at other prices"] = "DuckDB, sums"
    for name in (*ratios, "DuckDB, sums", "DuckDB, quantiles"):
        if (one := found.get(name)) is None:
            continue
        beside = found.get(ratios.get(name, ""))
        ratio = f"{one['cpu'] / beside['cpu']:.2f}" if beside else ""
        lines.append(f"| {name} | {one['cpu']:.2f} | {one['mib']:.0f} | {ratio} |")
    return lines


def _cluster(of: dict[str, Any]) -> list[str]:
    lines = [f"| {of['rows']:,} rows of {CLUSTER_DAYS} days | CPU s | of serial |"]
    lines = [f"{lines[0]} CPU s to start | MiB of a worker | figures |"]
    lines.append("|---|---|---|---|---|---|")
    words = {
        "serial": "one process",
        "pool": f"{WORKERS} processes, spawned",
        "dask": f"Dask, {WORKERS} workers",
    }
    for way, said in words.items():
        if "failed" in (one := of[way]):
            lines.append(f"| {said} | did not end | | | | |")
            continue
        same = "the same" if one["digest"] == of["serial"]["digest"] else "others"
        ratio = one["cpu"] / of["serial"]["cpu"]
        row = f"{one['cpu']:.1f} | {ratio:.2f} | {one['start']:.1f} | {one['mib']:.0f}"
        lines.append(f"| {said} | {row} | {same} |")
    return lines


PROXIES, ROWS = 1_000, 10_000_000_000
_SHIPS_A_DAY = 96  # every 15 minutes: `data/shipping.md`
_PUT_USD = 0.005 / 1_000  # S3 standard, us-east-1: https://aws.amazon.com/s3/pricing/
_NAME_BYTES = 16


def _on_paper(found: dict[str, Any]) -> list[str]:
    log, rows_a_day = found["log"], ROWS / 365
    of_log, of_cells = log["log_bytes"] / log["rows"], log["facts_bytes"] / log["days"]
    serial = found["cluster"]["serial"]
    count_us = serial["cpu"] * 1e6 / found["cluster"]["rows"]
    ship_us = _of("shipping.md", r"Shipping takes ([\d.]+) µs")
    merge_us = _of("shipping.md", r"merging ([\d.]+) µs")
    asked_us = _of("cpu_a_request.md", r"\| now \| (\d+) \|")
    two_us = _of("cpu_a_request.md", r"\| now, 2 workers \| (\d+) \|")
    puts = PROXIES * _SHIPS_A_DAY
    year = r"100,000,000 rows[^#]*?spend by feature"
    lists = _of("prefix_requests.md", year + r" \| (\d+)")
    gets = _of("prefix_requests.md", year + r" \| \d+ \| (\d+)")
    mb = _of("prefix_requests.md", year + r" \| \d+ \| \d+ \| ([\d.]+)")
    memory = "analysis_memory.md"
    rows_us = _of(memory, r"After[^#]*?\| spend \| ([\d.]+)")
    rows_us /= _of(memory, r"After, ([\d.]+) million rows")
    hours = 1e6 * 3600
    lines = ["| what | figure, on paper | of | from |", "|---|---|---|---|"]
    table = [
        ("rows a day; of a proxy", f"{rows_a_day:,.0f}; {rows_a_day / PROXIES:,.0f}",
         f"{ROWS:,} / 365", "asked"),
        ("the log, a year", f"{ROWS * of_log / 1e9:,.0f} GB",
         f"{ROWS:,} rows x {of_log:.1f} B", "table 1"),
        ("cells, a year of as many groups", f"{of_cells * 365 / 1e9:.2f} GB",
         f"365 days x {of_cells / 1e6:.2f} MB: by groups and days, not by rows",
         "table 1"),
        ("cells, were there ten times the groups", f"{of_cells * 3650 / 1e9:.1f} GB",
         "ten times that, at most", "table 1"),
        ("counting, a day", f"{rows_a_day * count_us / 1e6:,.0f} CPU s",
         f"{rows_a_day:,.0f} rows x {count_us:.2f} µs", "table 4, one process"),
        ("counting, a year", f"{ROWS * count_us / hours:.1f} core-hours",
         f"{ROWS:,} rows x {count_us:.2f} µs", "table 4"),
        ("shipping and merging, a day",
         f"{rows_a_day * (ship_us + merge_us) / 1e6:,.0f} CPU s",
         f"{rows_a_day:,.0f} rows x ({ship_us} + {merge_us}) µs", "data/shipping.md"),
        ("PUTs a day", f"{puts:,}; {puts * _PUT_USD:.2f} USD",
         f"{PROXIES:,} proxies x {_SHIPS_A_DAY}; at 0.005 USD a thousand",
         "every 15 minutes, data/shipping.md; S3's list price"),
        ("GETs a day to merge them", f"{puts:,}", "each once", "data/shipping.md"),
        ("names that are never forgotten, a day", f"{puts * _NAME_BYTES / 1e6:.1f} MB",
         f"{puts:,} x {_NAME_BYTES} B", "128 bits each"),
        ("requests of a year's spend from the prefix", f"{lists + gets:.0f}; {mb} MB",
         (f"{lists:.0f} LISTs and {gets:.0f} GETs, as measured at 100 million rows: "
         "months and days, not rows"), "data/prefix_requests.md"),
        ("a year's spend", f"{found['spend']['cpu']:.1f} CPU s",
         "as measured at 100 million: by groups and days, not by rows", "table 2"),
        ("the same from rows", f"{ROWS * rows_us / hours:.1f} core-hours",
         f"{ROWS:,} rows x {rows_us:.2f} µs", "data/analysis_memory.md"),
        ("the proxies, a year", f"{ROWS * asked_us / hours:,.0f} core-hours",
         f"{ROWS:,} requests x {asked_us:.0f} µs", "data/cpu_a_request.md"),
        ("requests a second, in the mean", f"{ROWS / 365 / 86400:,.0f}",
         f"{ROWS:,} / 365 / 86,400", "asked"),
        ("cores at ten times the mean", f"{ROWS / 36.5 / 86400 * asked_us / 1e6:.1f}",
         (f"{asked_us:.0f} µs each: {1e6 / asked_us:,.0f} requests a CPU second; with two "
         f"workers on a port {1e6 / two_us:,.0f}"), "data/cpu_a_request.md"),
    ]  # fmt: skip
    return lines + [f"| {' | '.join(row)} |" for row in table]


def page(found: dict[str, Any]) -> str:
    """The sheet."""
    log = found["log"]
    of_log = log["log_bytes"]
    times = sorted(one["at"] for one in found.values())
    loads = [one["load"] for one in found.values()]
    each = [
        f"{of_log / 1e9:.2f} GB | {of_log / log['rows']:.1f} | |",
        *(
            f"{log[f'{n}_bytes'] / 1e6:.0f} MB | {log[f'{n}_bytes'] / log['rows']:.2f} | "
            f"{log[f'{n}_bytes'] / of_log:.1%} |"
            for n in ("facts", "months")
        ),
    ]
    names = ("the log", "cells of each day", "cells of months")
    size = [f"| {n} | {row}" for n, row in zip(names, each, strict=True)]
    ways = [*_views(found), "", *_beside(found)]
    return "\n".join(
        [
            "# From 10 million rows to 10 billion",
            "",
            "Written by `python tests/benchmarks/scale_sheet.py page`, which says how, of what",
            f"it measured from {times[0]} to {times[-1]}, on a machine of",
            f"{os.cpu_count()} processors with a load of {min(loads):.0f} to {max(loads):.0f}: the more, the more",
            "processor time the same work takes. Made-up traffic.",
            "",
            f"## 1. Bytes, of {log['rows']:,} rows of {log['days']} days",
            "",
            "| what | bytes | bytes a row | of the log |",
            "|---|---|---|---|",
            *size,
            "",
            f"## 2. A year beside its first {FEW_DAYS} days, where cells can say it",
            "",
            "New processes. CPU s of the view alone, and in brackets with Python's start and",
            "imports; MiB that only the process has, and in brackets with what it maps. Growth is",
            "that of the whole process; the bar is 1.3.",
            "",
            *ways[: len(VIEWS) + 2],
            "",
            "## 3. Beside DuckDB, on the same files",
            "",
            "DuckDB reads every row: sums of four columns, or exact quantiles of four durations,",
            "by org and feature. It prices nothing. Bars: 1.5 CPU s of spend, at any prices, and 1",
            "of latency.",
            "",
            *ways[len(VIEWS) + 3 :],
            "",
            "## 4. Counting days on a cluster",
            "",
            "All of them together; the bar is 1.5 times one process.",
            "",
            *_cluster(found["cluster"]),
            "",
            f"## 5. On paper: {PROXIES:,} proxies, {ROWS:,} rows a year",
            "",
            "Nobody has run this. Each figure is worked out from one that was measured.",
            "",
            *_on_paper(found),
            "",
        ]
    )


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        sys.stdout.write(json.dumps(_one(sys.argv[2], Path(sys.argv[3]))))
    elif sys.argv[1] == "measure":
        measure(Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])
    else:
        sys.stdout.write(page(json.loads(Path(sys.argv[2]).read_text())))

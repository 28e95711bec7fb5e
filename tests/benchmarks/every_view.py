"""What each view takes: processor seconds and memory, on a made-up year.

    python tests/benchmarks/every_view.py LAB [days, default 37 = 10 M rows] [name …]

LAB is what `made_up_year.py` writes; it is made where it is not there yet. Each view runs
with its defaults in a process of its own, which may take `MOST_MIB` of memory and is ended
above: of a lab whose closed days are counted (`cells/`), and of one where they can not be,
so that every row is read. `--cells` and `--rows` are one of these alone. A view that no
cell can answer is as dear in both, and read once: `OF_ROWS` are those.

Memory is what only that process has (RssAnon, looked at 50 times a second), and in
brackets the most that was mapped (VmHWM), with pages of files that are the machine's. A
view that gives a LazyFrame is collected as `lectr-lab report` does it; `…_in_a_cell` as a
cell does it.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
from made_up_year import FIRST, beginning, make

import lectr_lab as lectr
from lectr_lab.analysis.cells.kept import count_closed
from lectr_lab.dashboards.following import Follower
from lectr_lab.dashboards.page import page
from lectr_lab.log.folder import LabFolder

MOST_MIB = 9_000
_LOOK_S = 0.02
_MINI = lectr.Rule(
    name="mini",
    priority=1,
    when=lectr.Conditions(model="gpt-4o"),
    then=lectr.RuleTarget(model="gpt-4o-mini"),
)


def _collected(view: Callable[..., pl.LazyFrame], **more: Any) -> Callable[[Path], int]:
    return lambda lab: view(lectr.scan(lab), **more).collect(engine="streaming").height


def _spend_in_a_cell(lab: Path) -> int:
    return lectr.spend(lectr.scan(lab)).collect().height


def _latency_in_a_cell(lab: Path) -> int:
    return lectr.latency(lectr.scan(lab)).collect().height


def _recommend(lab: Path) -> int:
    return len(lectr.recommend(lectr.scan(lab)))


def _simulate(lab: Path) -> int:
    return lectr.simulate(lectr.scan(lab), _MINI).changed


def _page(lab: Path) -> int:
    return len(page(lectr.scan(lab)))


def _follower(lab: Path) -> int:
    found = Follower(lab).read()
    return 0 if found is None else found[0].sums.height


def _odd(lab: Path) -> int:
    return len(lectr.odd(lectr.scan(lab)).frame())


def _compare(lab: Path) -> int:
    days = sorted((lab / "log").iterdir())
    half = FIRST + timedelta(days=len(days) // 2)
    before = FIRST.isoformat(), half.isoformat()
    after = half.isoformat(), (FIRST + timedelta(days=len(days))).isoformat()
    return lectr.compare(lectr.scan(lab), before, after).frame().height


def _forecast(lab: Path) -> int:
    return lectr.forecast(lectr.scan(lab)).frame().height


def _session(lab: Path) -> int:
    log = lectr.scan(lab)
    some = log.select(pl.col("session").drop_nulls().first())
    lectr.session(log, some.collect(engine="streaming").item())._repr_mimebundle_()
    return 1


def _export(lab: Path) -> int:
    with tempfile.TemporaryDirectory() as out:
        day = FIRST.isoformat()
        which = {"since": day, "until": day, "feature": "feature-010"}
        lectr.export_log(lab, Path(out) / "spans", **which)
    return 1


def _import(lab: Path) -> int:
    with tempfile.TemporaryDirectory() as out:
        day = FIRST.isoformat()
        lectr.export_log(lab, Path(out) / "spans", since=day, until=day)
        other = Path(out) / "lab"
        lectr.import_log(Path(out) / "spans", kind="otel", lab=other)
        return lectr.scan(other).n_rows()


def _shown(lab: Path) -> int:
    return len(repr(lectr.scan(lab).lazy()._repr_mimebundle_()))  # type: ignore[operator]


def _map(lab: Path) -> int:
    return sum(lectr.scan(lab).map(lambda day: lectr.spend(day).collect().height))


VIEWS: dict[str, Callable[[Path], int]] = {
    "spend": _collected(lectr.spend),
    "spend_in_a_cell": _spend_in_a_cell,
    "spend_by_day": _collected(lectr.spend, by=["feature", "model"], every="1d"),
    "spend_over_time": _collected(lectr.spend_over_time),
    "tokens": _collected(lectr.tokens),
    "errors": _collected(lectr.errors),
    "latency": _collected(lectr.latency),
    "latency_in_a_cell": _latency_in_a_cell,
    "latency_exact": _collected(lectr.latency, percentiles="exact"),
    "latency_binned": _collected(lectr.latency, percentiles="binned"),
    "summary": _collected(lectr.summary),
    "totals": _collected(lectr.totals),
    "dearest": _collected(lectr.dearest),
    "unpriced_models": _collected(lectr.unpriced_models),
    "cost_of_failures": _collected(lectr.cost_of_failures),
    "cost_of_retries": _collected(lectr.cost_of_retries),
    "sessions": _collected(lectr.sessions),
    "sessions_by": _collected(lectr.sessions, by="client"),
    "sessions_inferred": _collected(lectr.sessions, infer_sessions=True),
    "session": _session,
    "cache": _collected(lectr.cache),
    "cache_losses": _collected(lectr.cache_losses),
    "cache_savings": _collected(lectr.cache_savings),
    "compare": _compare,
    "forecast": _forecast,
    "odd": _odd,
    "recommend": _recommend,
    "simulate": _simulate,
    "dashboard": _page,
    "follower": _follower,
    "shown": _shown,
    "map": _map,
    "export_log": _export,
    "import_log": _import,
}
OF_ROWS = {"sessions", "sessions_by", "sessions_inferred", "session", "cache", "map"}
OF_ROWS |= {"cache_losses", "cache_savings", "odd", "shown", "export_log", "import_log"}
OF_ROWS |= {"latency_exact", "compare"}


def _mib(pid: int, field: str) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    of_lines = (line.split() for line in status.splitlines())
    return next((int(w[1]) / 1024 for w in of_lines if w[:1] == [field]), 0.0)


def measured(name: str, lab: Path) -> dict[str, Any]:
    """A view in a process of its own: `cpu` seconds, peak `mib`, its `answer`; or why not."""
    command = [sys.executable, __file__, "--one", name, str(lab)]
    pipe = subprocess.PIPE
    child = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)
    peak_mib = [0.0]

    def watch() -> None:
        while child.poll() is None:
            peak_mib[0] = max(peak_mib[0], _mib(child.pid, "RssAnon:"))
            if peak_mib[0] > MOST_MIB:
                child.kill()
            time.sleep(_LOOK_S)

    watcher = threading.Thread(target=watch)
    watcher.start()
    out, err = child.communicate()
    watcher.join()
    if child.returncode:
        why = "ended" if peak_mib[0] > MOST_MIB else err.strip()[-200:]
        return {"mib": peak_mib[0], "failed": why}
    return {"mib": peak_mib[0]} | json.loads(out)


def _one(name: str, lab: Path) -> None:
    before = time.process_time()
    answer = VIEWS[name](lab)
    told = {"cpu": time.process_time() - before, "answer": answer}
    sys.stdout.write(json.dumps(told | {"mapped_mib": _mib(os.getpid(), "VmHWM:")}))


def _said(found: dict[str, Any] | None) -> str:
    if found is None:
        return " | "
    cpu = found.get("failed") or f"{found['cpu']:.1f}"
    mapped = f" ({found['mapped_mib']:,.0f})" if "mapped_mib" in found else ""
    return f"{cpu} | {found['mib']:,.0f}{mapped}"


def main(year: Path, days: int, names: list[str], ways: list[str]) -> None:
    """Print a table of the views that are named, or all, as each is measured."""
    rows = make(year, days)
    with tempfile.TemporaryDirectory(dir=year.parent) as scratch:
        labs = {way: beginning(year, days, Path(scratch, way)) for way in ways}
        for lab in labs.values():
            (lab / "state").mkdir()  # which remembers that the parts can be read
            lectr.scan(lab)
        if "cells" in labs:
            count_closed(LabFolder(labs["cells"]))
        if "rows" in labs:
            (labs["rows"] / "cells").touch()  # a file: no folder can be made there
        head = " | ".join(f"from {way}: cpu s | MiB" for way in ways)
        sys.stdout.write(f"{rows:,} rows of {days} days\n\n| view | {head} |\n")
        sys.stdout.write(f"|---{'|---|---' * len(ways)}|\n")
        for name in names:
            last = ways[-1]
            found = [
                measured(name, lab) if way == last or name not in OF_ROWS else None
                for way, lab in labs.items()
            ]
            sys.stdout.write(f"| {name} | {' | '.join(map(_said, found))} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        _one(sys.argv[2], Path(sys.argv[3]))
    else:
        given = [one for one in sys.argv[1:] if not one.startswith("--")]
        asked_ways = [
            one.removeprefix("--") for one in sys.argv if one.startswith("--")
        ]
        path, asked_days, *asked = [*given, "37"][: max(len(given), 2)]
        main(
            Path(path),
            int(asked_days),
            asked or [*VIEWS],
            asked_ways or ["cells", "rows"],
        )

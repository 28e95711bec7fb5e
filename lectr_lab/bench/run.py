"""`lectr-lab bench`: start what is measured, measure, show."""

import sys
import tempfile
from contextlib import ExitStack
from functools import partial
from math import isnan
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from lectr_lab.bench import measure
from lectr_lab.bench.gateways import HOW_TO_INSTALL, Gateway, found, several
from lectr_lab.bench.measure import CONNECTIONS, ROUNDS, Figures, Sender, helper
from lectr_lab.core.errors import ConfigError
from lectr_lab.tables.columns import Column
from lectr_lab.tables.text import aligned


def run_bench(
    seconds: float = 30.0,
    json_path: Path | None = None,
    only: tuple[str, ...] = (),
    soak_requests: int = 0,
    workers: int = 1,
) -> dict[str, Figures]:
    """Measure on this machine what the proxy adds, beside the gateways found here.

    All are measured against one provider on loopback that takes no time, in short
    turns, event log on. The machine is as busy as it is: ratios between the columns
    hold, single figures drift.

    Args:
        seconds: how long the turns take together.
        json_path: where to write the figures too.
        only: names of gateways, to leave others out; `direct` is always there.
        soak_requests: so many requests more go to the proxy alone, to see whether its
            memory grows; 200,000 take about two minutes.
        workers: the proxy is also measured with so many processes at its port.

    Returns:
        The figures of each, by name.

    Raises:
        ConfigError: a name that is none, or not Linux.
        LabError: a gateway did not start.
    """
    if not sys.platform.startswith("linux"):
        raise ConfigError(
            "`bench` reads processor time from Linux; it runs only there."
        )
    starts = found()
    unknown = set(only) - set(starts)
    if unknown:
        raise ConfigError(
            f"Not found here: {', '.join(sorted(unknown))}. There is "
            f"{', '.join(starts)}. To install others:\n{HOW_TO_INSTALL}"
        )
    starts = {n: s for n, s in starts.items() if not only or n in ("direct", *only)}
    if workers > 1:
        starts[f"{workers} workers"] = partial(several, workers=workers)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        provider = stack.enter_context(helper("instant_provider"))
        assert provider.stdout
        port = int(provider.stdout.readline())
        gateways: dict[str, Gateway] = {}
        for name, start in starts.items():
            own = folder / name
            own.mkdir()
            gateways[name] = stack.enter_context(start(port, own))
        sender = Sender(stack.enter_context(helper("load")))
        figures, slope = _measured(sender, gateways, seconds, soak_requests)
    _show(figures, slope)
    if json_path is not None:
        shown: dict[str, Any] = {n: f._asdict() for n, f in figures.items()}
        data = {"gateways": shown, "memory_mb_per_100k_requests": slope}
        json_path.write_bytes(msgspec.json.format(msgspec.json.encode(data)))
    return figures


def _measured(
    sender: Sender, gateways: dict[str, Gateway], seconds: float, soak_requests: int
) -> tuple[dict[str, Figures], float | None]:
    columns = (TextColumn("measuring"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        turns = progress.add_task("", total=ROUNDS * len(gateways))
        figures = measure.measure(
            sender, gateways, seconds, lambda: progress.advance(turns)
        )
        ours = gateways.get("lectr-lab")
        if not soak_requests or ours is None:
            return figures, None
        steps = progress.add_task("", total=measure.SOAK_STEPS)
        seen = measure.soak(
            sender, ours, soak_requests, lambda: progress.advance(steps)
        )
    return figures, measure.slope_mb(seen)


def _show(figures: dict[str, Figures], slope_mb: float | None) -> None:
    labels = Column("", [label for label, _, _ in _ROWS], right=False)
    measured = [
        Column(name, [_text(getattr(f, field), form) for _, field, form in _ROWS], True)
        for name, f in figures.items()
    ]
    print("What is added to a call to a provider\n")
    print(aligned([labels, *measured], Console().width))
    if slope_mb is not None:
        print(f"memory of lectr-lab: {slope_mb:+.2f} MB per 100,000 requests")


def _text(value: float | None, form: str) -> str:
    """A dash for what was not measured, or could not be."""
    return "-" if value is None or isnan(value) else format(value, form)


_ROWS = (
    ("1 connection: p50, ms", "p50_ms", ".3f"),
    ("1 connection: p99, ms", "p99_ms", ".3f"),
    ("  added p50, ms", "added_p50_ms", ".3f"),
    ("  added p99, ms", "added_p99_ms", ".3f"),
    (f"{CONNECTIONS} connections: requests/s", "requests_per_s", ",.0f"),
    ("  CPU per request, µs", "cpu_us", ",.0f"),
    ("stream: first byte later, p50 ms", "added_first_byte_ms", ".3f"),
    ("stream: chunk later, p50 ms", "added_late_p50_ms", ".3f"),
    ("stream: chunk later, p99 ms", "added_late_p99_ms", ".3f"),
    ("memory before, MB", "rss_before_mb", ".1f"),
    ("memory after, MB", "rss_after_mb", ".1f"),
    ("errors", "errors", "d"),
)

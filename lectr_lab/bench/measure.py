"""The measurement: each gateway in turn, in short turns, so that all see one machine."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from statistics import median
from typing import NamedTuple

import msgspec

from lectr_lab.bench.gateways import Gateway
from lectr_lab.bench.load import Job, Load
from lectr_lab.bench.process import cpu_s, rss_mb
from lectr_lab.core.errors import ProxyError

ROUNDS = 3
CONNECTIONS = 32
_SHARES = {"one": 0.3, "many": 0.4, "stream": 0.3}
"""Of each gateway's time: chats over one connection, over 32, streams over one."""
SOAK_STEPS = 20


class Figures(NamedTuple):
    """One gateway's, median of the rounds. None: not measured of no gateway at all.

    `added` is the figure through the gateway less the figure without one.
    """

    p50_ms: float
    p99_ms: float
    added_p50_ms: float | None
    added_p99_ms: float | None
    requests_per_s: float
    cpu_us: float | None  # of the gateway, a request, at 32 connections
    added_first_byte_ms: float | None  # of a stream, at the median
    added_late_p50_ms: float | None  # of a stream's later chunks
    added_late_p99_ms: float | None
    rss_before_mb: float | None
    rss_after_mb: float | None
    errors: int


class _Round(NamedTuple):
    """One gateway's turn."""

    p50_ms: float
    p99_ms: float
    requests_per_s: float
    cpu_us: float
    first_byte_ms: float
    late_p50_ms: float
    late_p99_ms: float
    errors: int


class Sender:
    """The load's process."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def send(self, job: Job) -> Load:
        """Do a job and wait for what came of it."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin and stdout
        stdin.write(msgspec.json.encode(job) + b"\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            raise ProxyError("The process that makes the load has ended.")
        return msgspec.json.decode(line, type=Load)


@contextmanager
def helper(module: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A module of this folder as a process; it ends with its standard input."""
    command = [sys.executable, "-m", f"lectr_lab.bench.{module}"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C reaches this process alone, which ends them
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def measure(
    sender: Sender,
    gateways: Mapping[str, Gateway],
    seconds: float,
    step: Callable[[], None] = lambda: None,
) -> dict[str, Figures]:
    """Measure gateways against each other.

    Args:
        sender: makes the load.
        gateways: by name, running; `direct` is the one that the others are held to.
        seconds: how long it may take, all in all.
        step: told of each turn that is over; there are `ROUNDS` for each gateway.

    Returns:
        The figures of each, by name.
    """
    turn_s = seconds / (ROUNDS * len(gateways))
    for gateway in gateways.values():  # connections, caches, compilers
        sender.send(_job(gateway, connections=CONNECTIONS, seconds=turn_s / 4))
    before = {name: _rss_mb(gateway) for name, gateway in gateways.items()}
    rounds: dict[str, list[_Round]] = {name: [] for name in gateways}
    for _ in range(ROUNDS):
        for name, gateway in gateways.items():
            rounds[name].append(_turn(sender, gateway, turn_s))
            step()
    return {
        name: _figures(rounds[name], rounds["direct"], before[name], gateway)
        for name, gateway in gateways.items()
    }


def soak(
    sender: Sender,
    gateway: Gateway,
    requests: int,
    step: Callable[[], None] = lambda: None,
) -> list[tuple[int, float]]:
    """Send many requests to one gateway and look at its memory meanwhile.

    Returns:
        Requests so far and MiB held, 20 times and at the start.
    """
    seen = [(0, rss_mb(list(gateway.pids)))]
    for _ in range(SOAK_STEPS):
        job = _job(
            gateway,
            connections=CONNECTIONS,
            seconds=3600.0,
            requests=max(1, requests // SOAK_STEPS),
        )
        replies = sender.send(job).replies
        seen.append((seen[-1][0] + replies, rss_mb(list(gateway.pids))))
        step()
    return seen


def slope_mb(seen: list[tuple[int, float]]) -> float:
    """MiB more for each 100,000 requests, over the second half: the first fills caches.

    >>> slope_mb([(0, 50.0), (50_000, 60.0), (100_000, 61.0), (150_000, 62.0)])
    2.0
    """
    later = seen[len(seen) // 2 :]
    mean_n = sum(n for n, _ in later) / len(later)
    mean_mb = sum(mb for _, mb in later) / len(later)
    covariance = sum((n - mean_n) * (mb - mean_mb) for n, mb in later)
    variance: float = sum((n - mean_n) ** 2 for n, _ in later)
    return covariance / variance * 100_000


def _turn(sender: Sender, gateway: Gateway, turn_s: float) -> _Round:
    one = sender.send(_job(gateway, seconds=turn_s * _SHARES["one"]))
    pids = list(gateway.pids)
    before_s = cpu_s(pids)
    seconds = turn_s * _SHARES["many"]
    many = sender.send(_job(gateway, connections=CONNECTIONS, seconds=seconds))
    used_s = cpu_s(pids) - before_s
    seconds = turn_s * _SHARES["stream"]
    streams = sender.send(_job(gateway, seconds=seconds, stream=True))
    return _Round(
        p50_ms=quantile(one.total_ms, 0.5),
        p99_ms=quantile(one.total_ms, 0.99),
        requests_per_s=many.replies / many.elapsed_s,
        cpu_us=used_s / max(many.replies, 1) * 1e6,
        first_byte_ms=quantile(streams.first_byte_ms, 0.5),
        late_p50_ms=quantile(streams.late_ms, 0.5),
        late_p99_ms=quantile(streams.late_ms, 0.99),
        errors=one.errors + many.errors + streams.errors,
    )


def _job(
    gateway: Gateway,
    *,
    seconds: float,
    connections: int = 1,
    stream: bool = False,
    requests: int = 0,
) -> Job:
    return Job(
        port=gateway.port,
        request=gateway.request(stream=stream),
        connections=connections,
        seconds=seconds,
        requests=requests,
    )


def _figures(
    own: list[_Round],
    direct: list[_Round],
    rss_before_mb: float | None,
    gateway: Gateway,
) -> Figures:
    def mid(field: str) -> float:
        return float(median(getattr(turn, field) for turn in own))

    def added(field: str) -> float | None:
        """Within each round, which saw the same machine."""
        pairs = zip(own, direct, strict=True)
        differences = [getattr(a, field) - getattr(b, field) for a, b in pairs]
        return float(median(differences)) if gateway.pids else None

    return Figures(
        p50_ms=mid("p50_ms"),
        p99_ms=mid("p99_ms"),
        added_p50_ms=added("p50_ms"),
        added_p99_ms=added("p99_ms"),
        requests_per_s=mid("requests_per_s"),
        cpu_us=mid("cpu_us") if gateway.pids else None,
        added_first_byte_ms=added("first_byte_ms"),
        added_late_p50_ms=added("late_p50_ms"),
        added_late_p99_ms=added("late_p99_ms"),
        rss_before_mb=rss_before_mb,
        rss_after_mb=_rss_mb(gateway),
        errors=sum(turn.errors for turn in own),
    )


def _rss_mb(gateway: Gateway) -> float | None:
    return rss_mb(list(gateway.pids)) if gateway.pids else None


def quantile(values: list[float], share: float) -> float:
    """The value that this share of them does not exceed; nan where there are none.

    >>> quantile([3.0, 1.0, 2.0], 0.5)
    2.0
    """
    if not values:
        return float("nan")
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]

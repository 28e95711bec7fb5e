"""The course of a soak: traffic and faults at once, then peace, then the end."""

import asyncio
import random
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from lectr_lab.log.folder import LabFolder
from lectr_lab.log.key_file import create_key
from soak import faults
from soak.clients import Traffic, work
from soak.ledger import Ledger, Life
from soak.provider import Provider, running
from soak.proxies import Proxies, ProxyFault, look, open_files
from soak.small_disk import SmallDisk
from soak.strangers import trouble

FAULTS = ("kills", "helpers", "clock", "disk", "leavers", "strangers", "flips")
_WORKERS = 24
_STRANGERS = 12
_CALM_WITHIN_S = 120.0
_SAYS_EVERY_S = 1 if sys.stderr.isatty() else 15
_FILES_MORE = 24  # the journal's, and pipes to helpers
_SMALL_QUEUE = 50  # events: a full disk must cost some, or nothing is shown


class Plan(NamedTuple):
    """What is asked for."""

    seconds: float
    seed: int
    faults: frozenset[str] = frozenset(FAULTS)
    durable_s: float = 1.0
    flips: int = 100


@dataclass
class Course:
    """A soak that is under way, or over."""

    plan: Plan
    folder: Path
    ledger: Ledger
    proxies: Proxies
    keys: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    strange: Counter[str] = field(default_factory=Counter)
    read: dict[str, int] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)  # what did not start, end or rest
    disk: SmallDisk | None = None
    steady: Life | None = None
    elapsed_s: float = 0.0

    def lab(self, name: str) -> LabFolder:
        """A lab of the soak."""
        return LabFolder(self.folder / name)

    @property
    def copies(self) -> Path:
        """Where segments lie that are to be damaged."""
        return self.folder / "copies"


def begun(plan: Plan, folder: Path) -> Course:
    """Folders, keys and the small disk; nothing runs yet."""
    course = Course(plan, folder, Ledger(plan.durable_s), Proxies(folder))
    if "disk" in plan.faults:
        course.disk = SmallDisk(folder / "small")
    for name in ("main", "small")[: 1 + (course.disk is not None)]:
        lab = LabFolder.create(folder / name)
        course.keys[name] = create_key(lab, "soak")[1]
    course.copies.mkdir()
    return course


async def run(
    course: Course, stopping: asyncio.Event, progress: Callable[[str], None]
) -> None:
    """All of it, until every proxy has ended."""
    try:
        with closing(socket.socket()) as nobody:
            nobody.bind(("127.0.0.1", 0))  # and does not listen: refused
            async with running(course.ledger.reached) as provider:
                await _start(course, provider.port, nobody.getsockname()[1])
                await _traffic(course, stopping, progress)
                progress("waiting for calm")
                await _calm(course, provider)
                progress("stopping the proxies")
                for life in course.proxies.alive():
                    await course.proxies.stop(life)
    except ProxyFault as fault:
        course.broken.append(str(fault))
    finally:
        course.proxies.kill_what_is_left()


async def _start(course: Course, provider: int, nobody: int) -> None:
    proxies, wanted = course.proxies, course.plan.faults
    proxies.configure("main", provider, nobody)
    course.steady = await proxies.start("steady", "main")
    await proxies.start("killed", "main")
    if "clock" in wanted:
        await proxies.start("odd clock", "main", odd_clock=True)
    if course.disk:
        proxies.configure("small", provider, nobody, queue_events=_SMALL_QUEUE)
        await proxies.start("small disk", "small")
    course.counts["files at the start"] = open_files(course.steady)


async def _traffic(
    course: Course, stopping: asyncio.Event, progress: Callable[[str], None]
) -> None:
    """Until its time is over, it is told to stop, or something broke."""
    began_s = time.monotonic()
    tasks = [asyncio.create_task(job) for job in _jobs(course, stopping)]
    for second in count():
        over = time.monotonic() - began_s > course.plan.seconds
        failed = [t for t in tasks if t.done() and t.exception()]
        if over or failed or not await faults.pause(stopping, 1):
            break
        if second % _SAYS_EVERY_S == 0:
            progress(_so_far(course, time.monotonic() - began_s))
    stopping.set()
    for done in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(done, dict):
            course.read = done
        elif isinstance(done, BaseException):
            course.broken.append(f"{type(done).__name__}: {done}")
    course.elapsed_s = time.monotonic() - began_s


def _jobs(course: Course, stopping: asyncio.Event) -> list[Coroutine[Any, Any, object]]:
    """What runs at once. Each has dice of its own, from the seed."""
    plan, proxies, main = course.plan, course.proxies, course.folder / "main"

    def chance(name: str) -> random.Random:
        return random.Random(f"{plan.seed} {name}")

    def traffic(i: int) -> Traffic:
        alive, leavers = proxies.alive, "leavers" in plan.faults
        more = (course.keys, alive, leavers, course.left)
        return Traffic(course.ledger, chance(f"client {i}"), *more)

    def port() -> int | None:
        return next((life.port for life in proxies.alive("main")), None)

    jobs = [work(traffic(i), stopping) for i in range(_WORKERS)]
    jobs.append(faults.watch(proxies, stopping))
    jobs.append(faults.read_on(main, stopping))
    if "strangers" in plan.faults:
        for i in range(_STRANGERS):
            dice = chance(f"stranger {i}")
            jobs.append(trouble(port, dice, stopping, course.strange))
    if "kills" in plan.faults:
        names = [x.name for x in proxies.alive("main") if x is not course.steady]
        dice = chance("kills")
        jobs.append(faults.kill_proxies(proxies, names, (6, 16), dice, stopping))
    if "helpers" in plan.faults:
        jobs.append(faults.kill_helpers(main, chance("help"), stopping, course.counts))
    if course.disk:
        [life] = proxies.alive("small")
        jobs.append(faults.fill_disk(course.disk, life, stopping, course.counts))
    if "flips" in plan.faults:
        jobs.append(faults.keep_copies(main, course.copies, stopping))
    return jobs


async def _calm(course: Course, provider: Provider) -> None:
    """All clients have left: what they held is given back, sooner or later."""
    assert course.steady
    most = course.counts["files at the start"] + _FILES_MORE
    ends_s = time.monotonic() + _CALM_WITHIN_S
    while provider.open or open_files(course.steady) > most:
        if time.monotonic() > ends_s:
            files = open_files(course.steady)
            course.broken.append(
                f"{provider.open} requests and {files} files (at most {most}) are still "
                f"open {_CALM_WITHIN_S:g} s after all clients have left"
            )
            break
        await asyncio.sleep(0.2)
    course.counts["files at the end"] = open_files(course.steady)
    await look(course.proxies.alive())


def _so_far(course: Course, elapsed_s: float) -> str:
    killed = sum(life.killed_s is not None for life in course.proxies.lives)
    asked = len(course.ledger.asked)
    return f"{elapsed_s:.0f} of {course.plan.seconds:.0f} s, {asked:,} asked, {killed} kills"


def say(line: str) -> None:
    """On stderr: over the last line in a terminal, below it elsewhere."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
    else:
        print(line, file=sys.stderr, flush=True)

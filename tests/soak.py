"""Minutes to hours of mixed traffic and faults, against one book of what must be there.

`python tests/soak.py [--minutes N | --seconds N] [--seed N] [--only FAULT,…]`

Real `lectr-lab serve` processes share a lab folder; a real provider answers them on this
machine; nothing leaves it. Beside valid traffic (replies, streams, compressed ones, big
bodies, pipelines, failures of the provider) there are

    kills       kill -9 of proxies, which are started again
    helpers     sealers and compactors more than usual, half of them killed
    clock       a proxy whose time of day jumps: an argument of the application, for
                nothing can change a process's clock from outside
    disk        a lab on a small disk that is full now and then
    leavers     clients that reset, half close, give up
    strangers   peers without a key: endless heads, idle ones, garbage
    flips       afterwards, one flipped bit at a time in copies of the log

Every request has a number, by which the provider knows what to say and the book what
must be in the log. At the end figures are printed, and each law that broke: then the
exit code is 1, and the labs are kept. A seed fixes what is asked and when it is aimed
at; how it falls out is the machine's.

    python tests/soak.py --minutes 5
    python tests/soak.py --minutes 60 --seed 7 --folder kept-labs
    python tests/soak.py --seconds 30 --only kills,helpers
"""

import argparse
import asyncio
import random
import shutil
import signal
import sys
import tempfile
from collections import Counter
from pathlib import Path

from soak import verdict
from soak.course import FAULTS, Course, Plan, begun, run, say
from soak.flips import journal_flips, part_flips
from soak.replies import KINDS
from soak.table import Figure, at_most, none, table


def figures(course: Course) -> list[Figure]:
    """All that is to be said once it is over."""
    ledger, lives, counts = course.ledger, course.proxies.lives, course.counts
    kills = sum(life.killed_s is not None for life in lives)
    found = [
        *_what_was_done(course, kills),
        none("valid requests not served by a living proxy", ledger.unserved()),
        none("requests that the provider got twice", ledger.asked_twice()),
        none("what did not start, end or rest", course.broken),
        *_readers(course.read),
    ]
    say("damaging copies")
    found += _flips(course)
    say("reading the log")
    found += verdict.laws_of_rows(ledger, course.lab("main"), kills)
    if course.disk:
        found += verdict.laws_of_full_disk(ledger, course.lab("small"), course.disk.how)
    if course.steady:
        found += verdict.laws_of_lives(lives, course.steady)
        files = [counts[f"files at the {when}"] for when in ("start", "end")]
        found.append(
            Figure("open files at the start, and when all had left", str(files))
        )
    return found + verdict.laws_of_secrets(course.folder, list(course.keys.values()))


def _what_was_done(course: Course, kills: int) -> list[Figure]:
    plan, counts, asked = course.plan, course.counts, course.ledger.asked.values()
    left = sum(one.left for one in asked)
    killed = counts.pop("helpers killed", 0)
    kinds = Counter(one.kind for one in asked if one.answered)
    streams = sum(n for kind, n in kinds.items() if KINDS[kind].stream)
    figures = [
        Figure(
            f"seed {plan.seed}, {course.elapsed_s:.0f} s of traffic",
            f"{len(asked):,} asked, {kinds.total():,} answered, {left:,} left",
        ),
        Figure(
            "answers compared with what the provider said, to the byte",
            f"{kinds.total():,}, of these {streams:,} streams",
        ),
        Figure(
            f"kill -9 of `serve`, {len(course.proxies.lives)} lives",
            f"**{kills} kills** + {killed} of {counts['helpers']} sealers and compactors",
        ),
    ]
    for what, some in (
        ("clients that left", course.left),
        ("strangers", course.strange),
    ):
        if some:
            kinds = ", ".join(f"{n:,} {kind}" for kind, n in some.most_common())
            figures.append(Figure(f"{what}, {some.total():,}", kinds))
    if course.disk:
        figures.append(Figure("full disks", str(counts["full disks"])))
    return figures


def _readers(read: dict[str, int]) -> list[Figure]:
    """`scan` and a plain reader, beside it all."""
    raised = [f"{n} times {what}" for what, n in read.items() if "raised" in what]
    looks = (
        f"of {read.get('looks', 0)} looks ({read.get('again', 0)} had to begin again)"
    )
    return [
        at_most("rows that a reader saw twice", read.get("doubled", 0), 0),
        at_most("rows that a reader saw, and then not", read.get("vanished", 0), 0),
        none("what readers met else", raised, looks),
    ]


def _flips(course: Course) -> list[Figure]:
    plan = course.plan
    if "flips" not in plan.faults:
        return []
    chance, copies = random.Random(plan.seed), sorted(course.copies.iterdir())
    folder, main_lab = course.folder, course.lab("main")
    verdict.settle(main_lab)
    return [
        *journal_flips(copies, folder / "flips-journal", plan.flips, chance),
        *part_flips(main_lab, folder / "flips-parts", plan.flips, chance),
    ]


def soak(plan: Plan, folder: Path) -> list[Figure]:
    """Run it; the first Ctrl-C ends the traffic, the second one all."""
    course = begun(plan, folder)
    try:
        asyncio.run(_until_told(course))
        return figures(course)
    finally:
        if course.disk:
            course.disk.close()


async def _until_told(course: Course) -> None:
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()

    def stop() -> None:
        stopping.set()
        loop.remove_signal_handler(signal.SIGINT)

    loop.add_signal_handler(signal.SIGINT, stop)
    await run(course, stopping, say)


def main() -> int:
    """0: every law held."""
    plan, kept = _asked()
    if sys.platform != "linux":
        print("The soak looks into /proc: it runs on Linux alone.", file=sys.stderr)
        return 2
    folder = kept or Path(tempfile.mkdtemp(prefix="soak-"))
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        print(f"{folder} is not empty. Name another --folder.", file=sys.stderr)
        return 2
    try:
        found = soak(plan, folder)
    except KeyboardInterrupt:
        print(f"\nStopped before its end. What was written is in {folder}.")
        return 130
    say("")
    print(table(found))
    broken = any(not figure.holds for figure in found)
    if kept or broken:
        print(f"The labs are in {folder}.")
    else:
        shutil.rmtree(folder)
    return int(broken)


def _asked() -> tuple[Plan, Path | None]:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=0.0, help="of traffic")
    parser.add_argument("--minutes", type=float, default=0.0, help="(default: 2)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default=",".join(FAULTS), help="faults, with commas")
    parser.add_argument(
        "--durable-s",
        type=float,
        default=1.0,
        help="how long before a kill an answer must have ended to be owed a row",
    )
    parser.add_argument("--flips", type=int, default=100, help="bits, of each kind")
    parser.add_argument("--folder", type=Path, help="empty; the labs stay there")
    asked = parser.parse_args()
    faults = frozenset(filter(None, asked.only.split(",")))
    if unknown := faults - set(FAULTS):
        parser.error(
            f"no such fault: {', '.join(unknown)} (there are {', '.join(FAULTS)})"
        )
    seconds = asked.seconds + asked.minutes * 60 or 120.0
    plan = Plan(seconds, asked.seed, faults, asked.durable_s, asked.flips)
    return plan, asked.folder


if __name__ == "__main__":
    sys.exit(main())

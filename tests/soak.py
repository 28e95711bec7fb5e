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
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from soak.course import FAULTS, Course, Plan, begun, run, say
from soak.report import figures
from soak.table import Figure, page, table


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
    asked = _asked()
    if sys.platform != "linux":
        print("The soak looks into /proc: it runs on Linux alone.", file=sys.stderr)
        return 2
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="soak-"))
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        print(f"{folder} is not empty. Name another --folder.", file=sys.stderr)
        return 2
    try:
        found = soak(_plan(asked), folder)
    except KeyboardInterrupt:
        print(f"\nStopped before its end. What was written is in {folder}.")
        return 130
    say("")
    print(table(found))
    if asked.out:
        asked.out.write_text(page(found, sys.argv[1:]), "utf-8")
    broken = any(not figure.holds for figure in found)
    if asked.folder or broken:
        print(f"The labs are in {folder}.")
    else:
        shutil.rmtree(folder)
    return int(broken)


def _plan(asked: argparse.Namespace) -> Plan:
    return Plan(
        seconds=asked.seconds + asked.minutes * 60 or 120.0,
        seed=asked.seed,
        faults=frozenset(filter(None, asked.only.split(","))),
        durable_s=asked.durable_s,
        flips=asked.flips,
    )


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    owed = "how long before a kill an answer must have ended to be owed a row"
    parser.add_argument("--seconds", type=float, default=0.0, help="of traffic")
    parser.add_argument("--minutes", type=float, default=0.0, help="(default: 2)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default=",".join(FAULTS), help="faults, with commas")
    parser.add_argument("--durable-s", type=float, default=1.0, help=owed)
    parser.add_argument("--flips", type=int, default=100, help="bits, of each kind")
    parser.add_argument("--folder", type=Path, help="empty; the labs stay there")
    parser.add_argument(
        "--out", type=Path, help="also write the figures as a page here"
    )
    asked = parser.parse_args()
    if unknown := set(filter(None, asked.only.split(","))) - set(FAULTS):
        named = ", ".join(sorted(unknown))
        parser.error(f"no such fault: {named} (there are {', '.join(FAULTS)})")
    return asked


if __name__ == "__main__":
    sys.exit(main())

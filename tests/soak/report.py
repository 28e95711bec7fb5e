"""What was done, and every law: all that is said once a soak is over."""

import random
from collections import Counter

from soak import verdict
from soak.course import Course, say
from soak.flips import journal_flips, part_flips
from soak.replies import KINDS
from soak.table import Figure, at_most, none


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

"""`lectr-lab compact`: merge the parts of closed days, forget old ones."""

import os
import sys
from typing import TYPE_CHECKING

from lectr_lab.cli.options import Lab
from lectr_lab.core.printable import printable

if TYPE_CHECKING:
    from lectr_lab.log.upkeep.compact import CompactReport

MB = 1_000_000


def compact(
    lab: Lab = None,
    *,
    keep_days: int | None = None,
    keep_mb: int | None = None,
    keep_request_ids: bool = False,
) -> None:
    """Merge each closed day's files into few, and delete old days if asked to.

    Safe while the proxy runs, and safe to stop with Ctrl-C. No event is deleted without
    --keep-days or --keep-mb. The provider's id of a call that ended well is dropped, for
    it is a third of the bytes; those of calls that failed stay. `keep_request_ids = true`
    in the lectr.toml beside the lab folder keeps all, for good. What closed days add up
    to is counted once, into the lab's `cells/`, so that views of many days are quick.

    Example: lectr-lab compact lab --keep-days 90

    Args:
        lab: the lab folder (default: the one lectr.toml names, else ./lab).
        keep_days: delete days that are older than that many days.
        keep_mb: delete the oldest days until the log has at most that many megabytes.
        keep_request_ids: keep all ids, as keep_request_ids in lectr.toml does.
    """
    from lectr_lab.analysis.cells.kept import count_closed
    from lectr_lab.cli.progress import progress
    from lectr_lab.config.settings import lab_here, settings_beside
    from lectr_lab.log.folder import LabFolder
    from lectr_lab.log.upkeep.compact import compact as merge
    from lectr_lab.log.upkeep.retain import retain

    lab = lab or lab_here(os.environ)
    folder = LabFolder.used(lab)
    own = settings_beside(lab, os.environ)
    keep_ids = keep_request_ids or own.keep_request_ids
    max_bytes = None if keep_mb is None else keep_mb * MB
    gone = retain(folder, max_age_days=keep_days, max_bytes=max_bytes)
    if gone.days:
        days = f"{gone.days[0]}" + (f" to {gone.days[-1]}" if gone.days[1:] else "")
        mb = gone.freed_bytes / MB
        print(f"Deleted {_count(len(gone.days), 'day')}, {days}: {mb:.1f} MB.")
    if gone.unshipped:
        print(
            f"{_count(len(gone.unshipped), 'day')} from {gone.unshipped[0]} on stay: the "
            "object store does not have them yet. `lectr-lab ship --once` puts them there."
        )
    try:
        with progress("Compacting", "bytes") as step:
            done = merge(folder, keep_request_ids=keep_ids, on_bytes=step)
    except KeyboardInterrupt:
        print("Stopped. Each day is merged, or as it was.", file=sys.stderr)
        raise
    _say(done)
    count_closed(folder)


def _say(done: "CompactReport") -> None:

    if done.days:
        print(
            f"Merged {_count(done.parts_before, 'file')} of {_count(done.days, 'day')} into "
            f"{done.parts_after}: {done.rows:,} rows, {done.bytes_before / MB:.1f} → "
            f"{done.bytes_after / MB:.1f} MB."
        )
    elif not done.problems:
        print("Nothing to merge: every closed day is compact.")
    for problem in done.problems:
        print(f"! {printable(problem)}")
    if done.problems:
        print("`lectr-lab doctor` says more.")


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"

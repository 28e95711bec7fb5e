"""`lectr-lab doctor`: what is wrong with a lab folder, and how to mend it."""

import os
from pathlib import Path


def doctor(lab: Path | None = None, *, mend: bool = False) -> None:
    """Look at every file of a lab folder and say what is wrong.

    Nothing is changed without --mend, and nothing that holds events is ever deleted:
    what cannot be read is moved to journal/*.bad. Safe while the proxy runs.

    Example: lectr-lab doctor lab --mend

    Args:
        lab: the lab folder (default: the one lectr.toml names, else ./lab).
        mend: put right what can be put right without losing anything.
    """
    from lectr_lab.cli.progress import progress
    from lectr_lab.config.settings import lab_here
    from lectr_lab.core.formatting import printable
    from lectr_lab.log.folder import LabFolder
    from lectr_lab.log.upkeep.doctor import MENDED, examine
    from lectr_lab.log.upkeep.doctor import mend as put_right

    lab = lab or lab_here(os.environ)
    folder = LabFolder.used(lab)
    with progress("Looking", "bytes") as step:
        found = examine(folder, step)
    if not found:
        print(f"{lab} is well.")
        return
    for finding in found:
        print(printable(f"{finding.path}\n  {finding.what}\n  → {finding.how}"))
    if mend:
        done = put_right(folder, found)
        print(f"\nMended {len(done)} of {len(found)}.")
    elif any(finding.kind in MENDED for finding in found):
        print(f"\n`lectr-lab doctor {lab} --mend` does what loses nothing.")

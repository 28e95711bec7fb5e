"""`lectr-lab doctor`: what is wrong with a lab folder or cassettes, and how to mend it."""

import os
from pathlib import Path

from lectr_lab.cli.options import Lab
from lectr_lab.cli.say import say, say_json


def doctor(
    lab: Lab = None,
    *,
    cassettes: Path | None = None,
    scrub: tuple[str, ...] = (),
    mend: bool = False,
    json: bool = False,
) -> None:
    """Look at every file of a lab folder, or at cassettes, and say what is wrong.

    Nothing is changed without --mend, and nothing that holds events is ever deleted:
    what cannot be read is moved to journal/*.bad. Safe while the proxy runs. With
    --cassettes it looks there instead, for what `lectr-lab record` would not write
    today; --mend puts a mark in its place, and they replay as before.

    Example: lectr-lab doctor lab --mend
    Example: lectr-lab doctor --cassettes cassettes

    Args:
        lab: the lab folder (default: the one lectr.toml names, else ./lab).
        cassettes: a cassette or a folder of them.
        scrub: a regular expression of what else must not be in one; may be repeated.
        mend: put right what can be put right without losing anything.
        json: for other programs: a list with an object per finding, and nothing else.
    """
    if cassettes is not None:
        _look_at_cassettes(cassettes, scrub, mend, json)
        return
    from lectr_lab.cli.progress import progress
    from lectr_lab.config.settings import lab_here
    from lectr_lab.log.folder import LabFolder
    from lectr_lab.log.upkeep.doctor import MENDED, examine
    from lectr_lab.log.upkeep.doctor import mend as put_right

    lab = lab or lab_here(os.environ)
    folder = LabFolder.used(lab)
    with progress("Looking", "bytes") as step:
        found = examine(folder, step)
    done = put_right(folder, found) if mend else []
    if json:
        say_json([one._asdict() | {"mended": one in done} for one in found])
    elif not found:
        say(f"{lab} is well.")
    else:
        for finding in found:
            say(f"{finding.path}\n  {finding.what}\n  → {finding.how}")
        if mend:
            say(f"\nMended {len(done)} of {len(found)}.")
        elif any(finding.kind in MENDED for finding in found):
            say(f"\n`lectr-lab doctor {lab} --mend` does what loses nothing.")


def _look_at_cassettes(
    path: Path, scrub: tuple[str, ...], mend: bool, json: bool
) -> None:
    from lectr_lab.config.settings import settings_here
    from lectr_lab.tape.doctor import examine
    from lectr_lab.tape.doctor import mend as put_right
    from lectr_lab.tape.secret_patterns import compiled

    own = compiled((*settings_here(os.environ).record.secrets, *scrub))
    found, looked_at = examine(path, own)
    if json:
        done = put_right(found, own) if mend else []
        say_json(
            [
                one._asdict() | {"values": dict(one.values), "mended": one in done}
                for one in found
            ]
        )
        return
    for finding in found:
        say(str(finding.path))
        for kind, values in finding.values.items():
            say(f"  {values} value{'s' * (values != 1)} {kind}")
        if finding.error:
            say(f"  {finding.error}\n  → Record it again.")
    unclean = [finding for finding in found if finding.error is None]
    if not found:
        say(f"{path} is well: {looked_at} cassettes.")
    elif mend:
        say(f"\nMended {len(put_right(found, own))} of {len(found)}.")
    elif unclean:
        say("\nAdd --mend to take these values out; the cassettes replay as before.")
    if unclean:
        say("What others may have read is no secret any more: replace such keys.")

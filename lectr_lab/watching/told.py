"""What was told already, to whom: across restarts, and with two watchers at once.

    state/told.json    by sink: what it was told, when, and what is being told
    state/told.lock    held while it is changed

Whoever tells something claims it first. A claim whose holder died counts no more after
`CLAIM_S`: then another tells it. So a thing is told once, or, where a watcher dies
between telling and writing that down, once more.
"""

import contextlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec

from lectr_lab.core.errors import LogError
from lectr_lab.files import read_regular, write_whole
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.state_lock import state_locked

CLAIM_S = 600.0
KEPT_S = 60 * 86_400.0
MOST_TRIES = 5
OPEN_S = 7 * 86_400.0
"""How long an incident is kept that no look has seen."""

_MOST_BYTES = 64_000_000


class Entry(msgspec.Struct, frozen=True):
    """`claimed`, `told`, `failed`, or `given_up` after `MOST_TRIES` looks; seconds since
    1970."""

    state: Literal["claimed", "told", "failed", "given_up"]
    at_s: float
    tries: int = 0


class Open(msgspec.Struct, frozen=True, kw_only=True):
    """An incident that was seen and had not ended when it was last looked at.

    It is of those who look by the same keys and budget. `over`: it is found no more, and
    not all who were told of it have heard that.
    """

    id: str
    keys: tuple[str, ...]
    series: tuple[str | None, ...]
    found: datetime
    seen_s: float  # where the record ended then, seconds since 1970
    budget: float = 0.0
    over: bool = False
    looked_s: float = 0.0  # when that was


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """`state/told.json`."""

    sinks: dict[str, dict[str, Entry]] = {}
    open: tuple[Open, ...] = ()
    looked_s: float | None = None
    version: int = 1


def told(lab: LabFolder) -> Told:
    """What was told in a lab; nothing where the file is not there, or is torn.

    Raises:
        LogError: it is there and cannot be read.
    """
    path = lab.state / "told.json"
    try:
        data = read_regular(path, follow=False, most_bytes=_MOST_BYTES)
        return msgspec.json.decode(data, type=Told)
    except FileNotFoundError:
        return Told()
    except (OSError, msgspec.MsgspecError) as error:
        raise LogError(f"{path} cannot be read: {error}. Put it aside.") from None


def claim(lab: LabFolder, sink: str, key: str) -> bool:
    """Whether this process is to tell a sink of something; nobody else then does.

    Args:
        lab: where it is written down.
        sink: who is told.
        key: of the word.

    Raises:
        LogError: the state cannot be written.
    """
    now_s = _now_s()
    with _changing(lab) as found:
        entry = found.sinks.get(sink, {}).get(key)
        tries = 0 if entry is None else entry.tries
        if entry is not None and (
            entry.state in ("told", "given_up")
            or (entry.state == "claimed" and now_s - entry.at_s < CLAIM_S)
        ):
            return False
        _set(lab, found, sink, key, Entry("claimed", now_s, tries))
        return True


def settle(lab: LabFolder, sink: str, *keys: str) -> None:
    """All of these are told, or need no telling any more."""
    now_s = _now_s()
    with _changing(lab) as found:
        mine = found.sinks.get(sink, {}) | {key: Entry("told", now_s) for key in keys}
        _write(lab, msgspec.structs.replace(found, sinks=found.sinks | {sink: mine}))


def failed(lab: LabFolder, sink: str, key: str) -> bool:
    """It could not be told. Whether it was given up: else the next look tries again."""
    with _changing(lab) as found:
        entry = found.sinks.get(sink, {}).get(key)
        tries = 1 if entry is None else entry.tries + 1
        last = tries >= MOST_TRIES
        state: Literal["failed", "given_up"] = "given_up" if last else "failed"
        _set(lab, found, sink, key, Entry(state, _now_s(), tries))
        return last


def unclaim(lab: LabFolder, sink: str, key: str) -> None:
    """It was not told, for this watcher stops: the next one tells it."""
    with _changing(lab) as found:
        mine = {k: e for k, e in found.sinks.get(sink, {}).items() if k != key}
        _write(lab, msgspec.structs.replace(found, sinks=found.sinks | {sink: mine}))


def heard(state: Told, sink: str, incident: str) -> bool:
    """Whether a sink was told that an incident began, and not yet that it is over."""
    entries = state.sinks.get(sink, {})
    began, ended = (entries.get(f"{what}:{incident}") for what in ("began", "ended"))
    settled = ended is not None and ended.state in ("told", "given_up")
    return began is not None and began.state == "told" and not settled


def looked(
    lab: LabFolder,
    still_open: Sequence[Open],
    keys: tuple[str, ...],
    budget: float,
    gone: Sequence[Open] = (),
) -> None:
    """Write down that a look by some keys and budget is over.

    Args:
        lab: where.
        still_open: the incidents that go on.
        keys: the columns that name a series.
        budget: expected false alarms a feature-week.
        gone: those found no more; each stays as long as a sink that was told of it has
            not heard so: it may be another watcher's.
    """
    now_s = _now_s()
    with _changing(lab) as found:
        kept = {
            sink: {k: e for k, e in mine.items() if now_s - e.at_s < KEPT_S}
            for sink, mine in found.sinks.items()
        }
        others = [one for one in found.open if (one.keys, one.budget) != (keys, budget)]
        over = [
            msgspec.structs.replace(one, over=True)
            for one in gone
            if any(heard(found, sink, one.id) for sink in found.sinks)
        ]
        unseen = [one for one in (*others, *over) if now_s - one.looked_s < OPEN_S]
        seen = (msgspec.structs.replace(one, looked_s=now_s) for one in still_open)
        still = (*seen, *unseen)
        _write(
            lab,
            msgspec.structs.replace(found, sinks=kept, open=still, looked_s=now_s),
        )


def _set(lab: LabFolder, found: Told, sink: str, key: str, entry: Entry) -> None:
    mine = found.sinks.get(sink, {}) | {key: entry}
    _write(lab, msgspec.structs.replace(found, sinks=found.sinks | {sink: mine}))


def _now_s() -> float:
    return datetime.now(UTC).timestamp()


@contextlib.contextmanager
def _changing(lab: LabFolder) -> Iterator[Told]:
    with state_locked(lab, "told"):
        yield told(lab)


def _write(lab: LabFolder, found: Told) -> None:
    path = lab.state / "told.json"
    try:
        write_whole(path, msgspec.json.encode(found))
    except OSError as error:
        raise LogError(f"{path} cannot be written: {error.strerror}.") from None

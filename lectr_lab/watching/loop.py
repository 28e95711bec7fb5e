"""Looking at a lab again and again, never in the request path, and telling once."""

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import polars as pl

from lectr_lab.analysis.odd import odd, stated
from lectr_lab.analysis.odd.incidents import Incident
from lectr_lab.analysis.odd.result import Oddities
from lectr_lab.analysis.views.groups import key_names
from lectr_lab.budgets.of_lab import states_of
from lectr_lab.config.settings import Settings
from lectr_lab.config.watch_settings import WatchSettings
from lectr_lab.core import formatting
from lectr_lab.core.errors import LabError
from lectr_lab.core.printable import printable
from lectr_lab.log.folder import LabFolder
from lectr_lab.proxy.stderr import say as say_to_stderr
from lectr_lab.watching import told as telling
from lectr_lab.watching.sinks import Sink
from lectr_lab.watching.told import Open
from lectr_lab.watching.webhook import NotTold, Stopping, Waits
from lectr_lab.watching.word import Word, budget_word, incident_word

_FIRST_H = 24  # of what ended before, nobody is told who was not told then
_MOST_H = 168
_SAME = timedelta(hours=6)


def watch(
    lab: LabFolder,
    settings: Settings,
    sinks: Sequence[Sink],
    wait: Waits,
    complain: Callable[[str], None] | None = None,
) -> None:
    """Look, tell, wait, until it is to stop.

    Args:
        lab: the folder.
        settings: with `[watch]` and budgets.
        sinks: who is told.
        wait: waits so many seconds, and says whether it is to stop.
        complain: told what goes wrong, once while it stays the same; None: stderr.
    """
    asked = settings.watch or WatchSettings()
    say, before = complain or _complain, ""
    while True:
        fault = ""
        try:
            faults = look(lab, settings, sinks)
            fault = "; ".join(faults)
        except Stopping:
            return
        except (LabError, OSError, pl.exceptions.PolarsError) as error:
            fault = str(error).partition("\n")[0]
        if fault and fault != before:
            say(f"watch: {fault}. It tries again.")
        before = fault
        if wait(asked.every_s):
            return


def how_it_stands(lab: LabFolder, settings: Settings) -> str:
    """What a watcher says as it begins: what it does, and what goes on since before."""
    asked, state = settings.watch or WatchSettings(), telling.told(lab)
    every = formatting.duration(asked.every_s * 1000)
    said = f"Watching {lab.root}, a look every {every}. Ctrl-C stops it."
    said += f" {stated.in_words(asked.budget)}"
    if n := sum(not one.over for one in state.open):
        said += f" {n} told before {'goes' if n == 1 else 'go'} on: `lectr-lab odd`."
    return printable(said)


def look(lab: LabFolder, settings: Settings, sinks: Sequence[Sink]) -> list[str]:
    """Look once, and tell what was not told yet.

    Returns:
        What could not be told, and why; nothing where all is well.

    Raises:
        LabError: the lab or its state cannot be read or written.
        Stopping: it is to stop.
    """
    asked, state = settings.watch or WatchSettings(), telling.told(lab)
    keys = [name.strip() for name in asked.by.split(",") if name.strip()]
    named = tuple(key_names(keys))
    mine = [one for one in state.open if _is_of(one, named, asked.budget)]
    found = odd(
        lab.root,
        by=keys[0] if len(keys) == 1 else keys,
        budget=asked.budget,
        since=_since([one for one in mine if not one.over], state.looked_s),
    )
    seen = _with_known_ids(found, mine)
    gone = _gone(found, seen, mine)
    budgets = states_of(lab.root, settings.budgets) if settings.budgets else []
    reached = [budget_word(one) for one in budgets if one.state != "ok"]
    faults = []
    for sink in sinks:
        words = [*_words(found, seen, lab, sink.name), *_over(gone, lab, sink.name)]
        fault = _tell(lab, sink, [*words, *reached])
        faults += [fault] if fault else []
    still = tuple(_open(found, seen, asked.budget))
    telling.looked(lab, still, named, asked.budget, gone)
    return faults


def _is_of(one: Open, keys: tuple[str, ...], budget: float) -> bool:
    return one.keys == keys and one.budget == budget


def _since(going: Sequence[Open], looked_s: float | None) -> str:
    """From where: what was open had not ended then; else as long as nobody looked, and a
    day at least."""
    if going:
        seen = datetime.fromtimestamp(min(one.seen_s for one in going), UTC)
        return f"{seen - _SAME:%Y-%m-%dT%H:%M}"
    if looked_s is None:
        return f"{_FIRST_H}h"
    away_h = (datetime.now(UTC).timestamp() - looked_s) / 3600
    return f"{min(max(_FIRST_H, math.ceil(away_h) + 1), _MOST_H)}h"


def _with_known_ids(found: Oddities, mine: Sequence[Open]) -> list[Incident]:
    """The incidents, the first one first. One that is of a series whose incident was
    open, and is found no more under its id, is that one: more was learnt of it."""
    ids = {one.id for one in found}
    lost = {one.series: one for one in mine if one.id not in ids and not one.over}
    told = []
    for one in reversed(found.found):
        before = lost.get(one.series)
        if before is not None:
            last = datetime.fromtimestamp(before.seen_s, UTC) + _SAME
            if one.onset <= last and (one.end or last) >= before.found:
                one = msgspec.structs.replace(one, id=before.id)
                del lost[before.series]
        told.append(one)
    return told


def _words(
    found: Oddities, seen: Sequence[Incident], lab: LabFolder, sink: str
) -> Iterator[Word]:
    """What a sink has to hear of the incidents. One that was over before it was told
    needs no second word for its end."""
    entries = telling.told(lab).sinks.get(sink, {})
    for one in seen:
        began, ended = (
            incident_word(one, found.looked.keys, what) for what in ("began", "ended")
        )
        known = entries.get(began.key)
        if known is None or known.state in ("claimed", "failed"):
            yield began
        elif one.end is not None and known.state == "told":
            yield ended


def _gone(
    found: Oddities, seen: Sequence[Incident], mine: Sequence[Open]
) -> list[Open]:
    """Those that were open and are found no more."""
    ids = {one.id for one in seen} | {one.id for one, _ in found.dismissed}
    return [one for one in mine if one.id not in ids]


def _over(gone: Sequence[Open], lab: LabFolder, sink: str) -> list[Word]:
    """That these are over, for whoever was told that they began."""
    state = telling.told(lab)
    return [
        Word(
            key=f"ended:{one.id}",
            what="ended",
            sentence=f"Over: {', '.join(map(formatting.name, one.series))}: no longer odd.",
            facts={"id": one.id}
            | {
                key: None if name is None else formatting.name(name)
                for key, name in zip(one.keys, one.series, strict=True)
            },
        )
        for one in gone
        if telling.heard(state, sink, one.id)
    ]


def _open(found: Oddities, seen: Sequence[Incident], budget: float) -> Iterator[Open]:
    for one in seen:
        if one.end is None:
            yield Open(
                id=one.id,
                keys=tuple(found.looked.keys),
                series=one.series,
                found=one.found,
                seen_s=found.looked.now.timestamp(),
                budget=budget,
            )


def _tell(lab: LabFolder, sink: Sink, words: Sequence[Word]) -> str | None:
    """Tell one sink; after a fault the rest waits for the next look."""
    for word in words:
        if not telling.claim(lab, sink.name, word.key):
            continue
        try:
            sink.send(word)
        except NotTold as error:
            last = telling.failed(lab, sink.name, word.key)
            return f"{error}, given up: {word.sentence}" if last else str(error)
        except BaseException:
            telling.unclaim(lab, sink.name, word.key)
            raise
        keys = [word.key]
        if word.what == "began" and word.facts["end"] is not None:
            keys.append(f"ended:{word.facts['id']}")
        telling.settle(lab, sink.name, *keys)
    return None


def _complain(text: str) -> None:
    say_to_stderr(text, code="watch", level="warning")

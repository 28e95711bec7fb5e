"""The made-up sessions of a coding agent: how its prompts grow, and what of them is read
from the provider's cache.

Nobody ran these sessions. What happens in one is ours, but for what has a source beside
it; how the cache answers follows Anthropic's documentation of prompt caching (five
minutes to live, tools before system before messages; read on 2026-11-30).
"""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from lectr_lab.core.event_values import PrefixBreak, TurnKind

CLIENT, CLIENT_VERSION = "claude-code", "2.1.332"
USERS = 7  # ours
TURNS = 11  # of a session, about: ours
LIVES_S = 300  # Anthropic: the cache's time to live
_TOOLS, _SYSTEM = 11_000, 3_000  # tokens: ours
_FIRST_MESSAGE = 1_200
_TYPED = 200  # tokens: ours
_GROWTH = 1_900  # median tokens a turn
_GAP_S = 24  # median, of tools that run
_PAUSE = 0.07  # of the turns somebody comes back to it after some time
_SUBAGENT = 0.3  # of the sessions
_NEW_TOOLS = 0.02  # of the turns a server of tools comes or goes
_COMPACTED = 60_000  # tokens; then the history is summed up
_SUMMARY = 4_000
_TITLE = 420
_CHARS = 4.2


class Turn(NamedTuple):
    """One request of a session: when, how long it is, and what the cache had of it."""

    at: datetime
    prompt: int  # tokens, all
    columns: dict[str, Any]  # of the event
    usage: dict[str, Any]  # of the event, where the request is answered


class _Prefix:
    """What a provider's cache holds of one agent's prompt."""

    def __init__(self) -> None:
        self.tokens, self.at = 0, None  # type: int, datetime | None

    def asked(
        self, at: datetime, prompt: int, change: PrefixBreak
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The event's columns of a prompt whose change is known."""
        kept = {"none": self.tokens, "system": _TOOLS, "history": _TOOLS + _SYSTEM}.get(
            change, 0
        )
        idle_s = (at - self.at).total_seconds() if self.at else None
        read = kept if idle_s is not None and idle_s <= LIVES_S else 0
        # Of a first prompt all but what was typed; of a new history all but its end.
        whole = {"first": prompt - _TYPED, "history": prompt - _TYPED}
        columns = {
            "prefix_chars": round(whole.get(change, self.tokens) * _CHARS),
            "prefix_kept_chars": round(kept * _CHARS),
            "prefix_break": change,
            "idle_s": None if idle_s is None else round(idle_s, 3),
        }
        self.tokens, self.at = prompt, at
        fresh = 3  # what stands behind the last mark
        usage = {"cache_read_tokens": read, "cache_write_tokens": prompt - read - fresh}
        return columns, usage


def starts(seed: str, first: datetime, days: int, a_day: float) -> Iterator[datetime]:
    """When sessions begin: in working hours, on a weekend a third as often (ours).

    Args:
        seed: the same seed gives the same moments.
        first: midnight of a Monday.
        days: so many from there.
        a_day: how many on a working day.
    """
    for day in range(days):
        rng = random.Random(f"{seed} {day}")
        wanted = a_day * (1 / 3 if day % 7 >= 5 else 1)
        for _ in range(int(wanted + rng.random())):
            yield first + timedelta(days=day, hours=rng.uniform(8, 19))


def session(
    seed: str,
    start: datetime,
    clock: tuple[datetime, datetime],
    dear: tuple[datetime, datetime, float],
) -> Iterator[Turn]:
    """The turns of one session, in the order of time.

    Args:
        seed: the same seed gives the same session.
        start: of its first turn.
        clock: between these times one stands in the system prompt, so that each turn
            changes it.
        dear: between these times prompts are so many times longer.

    >>> from datetime import UTC
    >>> at = datetime(2026, 11, 2, 9, tzinfo=UTC)
    >>> turns = list(session("a", at, (at, at), (at, at, 1.0)))
    >>> turns[0].columns["turn_kind"], turns[1].columns["prefix_break"]
    ('side_call', 'first')
    """
    rng = random.Random(seed)
    named = {
        "client": CLIENT,
        "client_version": CLIENT_VERSION,
        "session": _uuid(rng),
        "user": _user(rng),
        "credential": "api_key",
    }
    at = start
    yield _title(rng, at, named)
    length = max(2, round(rng.lognormvariate(0, 0.7) * TURNS * 0.6))
    helper = rng.randrange(1, length) if rng.random() < _SUBAGENT else None
    times = dear[2] if dear[0] <= start < dear[1] else 1.0
    prefix, prompt = _Prefix(), round(times * (_TOOLS + _SYSTEM + _FIRST_MESSAGE))
    for n in range(length):
        at += timedelta(seconds=_gap_s(rng) if n else 1.5)
        ticking = clock[0] <= at < clock[1]
        change, kind = _change(rng, n, prompt > times * _COMPACTED, ticking)
        if kind == "compaction":
            prompt = _TOOLS + _SYSTEM + _SUMMARY
        columns, usage = prefix.asked(at, prompt, change)
        yield Turn(at, prompt, named | {"turn_kind": kind} | columns, usage)
        if n == helper:
            for turn in _subagent(rng, at, named):
                at = turn.at
                yield turn
        prompt += round(times * _GROWTH * rng.lognormvariate(0, 0.8))


def _change(
    rng: random.Random, n: int, full: bool, ticking: bool
) -> tuple[PrefixBreak, TurnKind]:
    new_tools = rng.random() < _NEW_TOOLS
    if n == 0:
        return "first", "main"
    if full:
        return "history", "compaction"
    if ticking:
        return "system", "main"
    return ("tools", "main") if new_tools else ("none", "main")


def _subagent(
    rng: random.Random, at: datetime, named: dict[str, Any]
) -> Iterator[Turn]:
    """One that is sent to look for something, with a prompt of its own."""
    agent = f"a{rng.getrandbits(64):016x}"
    prefix, prompt = _Prefix(), round(0.6 * _TOOLS) + _FIRST_MESSAGE
    for n in range(rng.randrange(3, 9)):
        at += timedelta(seconds=_gap_s(rng, pauses=False))
        columns, usage = prefix.asked(at, prompt, "none" if n else "first")
        who = {"agent": agent, "turn_kind": "subagent"}
        yield Turn(at, prompt, named | who | columns, usage)
        prompt += round(_GROWTH * rng.lognormvariate(0, 0.8))


def _title(rng: random.Random, at: datetime, named: dict[str, Any]) -> Turn:
    """The session's name, asked for beside it: too short for the cache."""
    prompt = round(_TITLE * rng.lognormvariate(0, 0.2))
    columns = {
        "turn_kind": "side_call",
        "prefix_chars": round((prompt - _TYPED) * _CHARS),
        "prefix_kept_chars": 0,
        "prefix_break": "first",
    }
    usage = {"cache_read_tokens": 0, "cache_write_tokens": 0}
    return Turn(at, prompt, named | columns, usage)


def _gap_s(rng: random.Random, *, pauses: bool = True) -> float:
    pause = pauses and rng.random() < _PAUSE
    if pause:
        return rng.uniform(LIVES_S + 30, 2_400)
    return min(6 + _GAP_S * rng.lognormvariate(0, 0.7), LIVES_S - 20)


def _uuid(rng: random.Random) -> str:
    bits = f"{rng.getrandbits(128):032x}"
    return "-".join(
        (bits[:8], bits[8:12], "4" + bits[13:16], "a" + bits[17:20], bits[20:])
    )


def _user(rng: random.Random) -> str:
    """A keyed hash, as a log has it; the first of them work most."""
    rank = min(int(rng.expovariate(0.5)), USERS - 1)
    return f"{random.Random(f'agent user {rank}').getrandbits(128):032x}"

"""How much of a prompt is as it was, and what changed first where a cache cannot serve it.

A session has several prompts alive: its main agent's, its subagents', side calls. What a
cache holds of a prompt is the most that any of them, sent to the same model, begins with
alike; what changed is told by the one that it goes on from, which is the one that shares
most with it, wherever that stands.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from lectr_lab.core.event_values import PrefixBreak
from lectr_lab.core.prefix.prompt import Prompt
from lectr_lab.core.prefix.rules import CacheRule

_NOT_A_GREETING = 400  # characters of JSON
_ALIKE = 0.6  # of two sketches: a system prompt that was altered, not another one
_LEAST_SKETCH = 4  # of less, nothing can be said


class Seen(NamedTuple):
    """A prompt that was sent, and to whom. Times are of one clock, in seconds."""

    prompt: Prompt
    model: tuple[str, str | None]  # its provider before it
    agent: str | None
    started_s: float
    answered_s: float  # nothing is cached before its answer begins


Shared: TypeAlias = tuple[Seen, int]
"""An earlier prompt, and how many joints the new one begins alike with."""


class Change(NamedTuple):
    """How a prompt compares with those before it."""

    prefix: int  # joints that a cache could hold
    kept: int | None  # those unchanged since then; None: not known
    cause: PrefixBreak | None  # None: its conversation was not seen before
    last_s: float | None  # when what is kept was last sent, or what it goes on from


def change(
    now: Seen, before: Sequence[Seen], rule: CacheRule | None, *, is_session: bool
) -> Change:
    """Compare a prompt with earlier ones that could be cached when it was sent.

    Args:
        now: the prompt.
        before: earlier ones, in any order.
        rule: by which its provider caches.
        is_session: they are one session's. Where they are all that a key sent, two
            conversations that begin alike are not taken for one.
    """
    shared = [(seen, now.prompt.shared(seen.prompt)) for seen in before]
    return compared(now, shared, rule, is_session=is_session)


def compared(
    now: Seen, before: Sequence[Shared], rule: CacheRule | None, *, is_session: bool
) -> Change:
    """The same, for prompts with how many joints the new one begins alike with."""
    held, last_s = _held_most(now, before, rule)
    prefix = max(now.prompt.sent_before, held)
    if held and held >= prefix:
        return Change(prefix, held, "none", last_s)
    parent = _goes_on_from(now, before, is_session)
    if parent is not None:
        cause = _what_changed(now, parent, rule)
        kept = min(max(held, now.prompt.shared(parent.prompt)), prefix)
        return Change(prefix, kept, cause, last_s or parent.started_s)
    if now.prompt.is_opening:
        return Change(prefix, held, "first", None)
    return Change(prefix, None, None, None)


def _held_most(
    now: Seen, before: Sequence[Shared], rule: CacheRule | None
) -> tuple[int, float | None]:
    """The most joints that one of those before holds for it, and when that was last
    sent."""
    most, last_s = 0, 0.0
    for seen, shared in before:
        if shared < max(most, 1) or seen.model != now.model:
            continue
        if seen.prompt.parameters != now.prompt.parameters:  # seldom
            shared = min(shared, _up_to_parameters(now.prompt, seen.prompt, rule))
        if shared > most:
            most, last_s = shared, seen.started_s
        elif shared == most:
            last_s = max(last_s, seen.started_s)
    return (most, last_s) if most else (0, None)


def _up_to_parameters(one: Prompt, other: Prompt, rule: CacheRule | None) -> int:
    """How many joints stay where parameters differ; all where none does."""
    bounds = {
        "nothing": 0,
        "tools": min(one.tools, other.tools),
        "system": min(one.heads, other.heads),
    }
    named = rule.parameters if rule is not None else ()
    changed = (
        bounds[parameter.keeps]
        for parameter, a, b in zip(
            named, one.parameters, other.parameters, strict=False
        )
        if a != b
    )
    return min(changed, default=len(one))


def _goes_on_from(now: Seen, before: Sequence[Shared], is_session: bool) -> Seen | None:
    """The prompt that this one goes on from, or is another form of; None: none is."""
    own = dict(zip(now.prompt, now.prompt.lengths(), strict=True))
    best, most = None, (0, 0, 0.0)
    for seen, shared in before:
        alike = _likeness(now, seen, own, is_session)
        rank = (alike, shared, seen.started_s)
        if alike and rank > most:
            best, most = seen, rank
    return best


def _likeness(now: Seen, seen: Seen, own: dict[bytes, int], is_session: bool) -> int:
    """Characters that two prompts share, where they are of one conversation, or openings
    of one form; else 0."""
    if now.agent != seen.agent:
        return 0
    one, other = now.prompt, seen.prompt
    if one.is_opening and not other.is_opening:
        return 0
    common = own.keys() & set(other)
    chars = sum(own[digest] for digest in common)
    if one.is_opening:
        asked_alike = is_session and _shares_a_message(other, common, own, 0)
        alike = asked_alike or _is_same_form(one, other)
        return chars + 1 if other.is_opening and alike else 0
    second_turn = 1 not in one.answers[: one.sent_before]
    # What a model said is nobody else's, nor is a long message; a greeting is everybody's,
    # but within a session, or in the turn after it.
    known = is_session or (second_turn and other.is_opening)
    if _shares_a_message(other, common, own, 0 if known else _NOT_A_GREETING):
        return chars
    # All that was said may be gone, cut down to a summary; or the one message edited.
    same_head = one.shared(other) >= one.heads > 0
    follows = same_head and (second_turn or not other.is_opening)
    return chars if is_session and follows else 0


def _shares_a_message(
    other: Prompt, common: set[bytes], own: dict[bytes, int], least_chars: int
) -> bool:
    """One that a model said, or of some length."""
    told = zip(list(other)[other.heads :], other.answers[other.heads :], strict=True)
    return any(
        digest in common and (answer or own[digest] >= least_chars)
        for digest, answer in told
    )


def _is_same_form(one: Prompt, other: Prompt) -> bool:
    """Two openings with the same instructions, or nearly."""
    mine, its = list(one)[one.tools : one.heads], list(other)[other.tools : other.heads]
    if mine == its and (mine or one.shared(other) >= one.heads > 0):
        return True
    lines, least = one.likeness(other)
    return least >= _LEAST_SKETCH and lines >= _ALIKE * least


def _what_changed(now: Seen, parent: Seen, rule: CacheRule | None) -> PrefixBreak:
    """What comes first in the order in which a cache sees it."""
    if now.model != parent.model:
        return "model"
    one, other = now.prompt, parent.prompt
    shared = one.shared(other)
    if _up_to_parameters(one, other, rule) < min(shared, one.sent_before):
        return "parameters"
    if shared < max(one.tools, other.tools):
        return "tools"
    return "system" if shared < max(one.heads, other.heads) else "history"

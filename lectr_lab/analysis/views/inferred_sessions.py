"""Sessions of requests that name none, where someone asks for a guess.

A chat sends its whole history with each turn: the next prompt holds the last one and its
answer. So a request goes on from an earlier one of the same org, feature, client and user
if its prompt holds more messages, and at least as many more characters as that one's
answer had, and its system prompt is as long. Of several it goes on from the longest, for
that is the closest. What the proxy saw to be the first of its prefix goes on from nothing.
What goes on from nothing, and from which nothing goes on, is no session.
"""

from bisect import bisect_right, insort
from collections.abc import Iterator
from hashlib import blake2b
from typing import NamedTuple

import polars as pl

from lectr_lab.analysis.views import rows

MOST_PAUSE_MIN = 30.0
"""After a longer pause, a session is taken for another."""

PREFIX = "inferred-"
"""Of the name of a session that no client named."""

_ALIKE = ["org", "feature", "client", "user", "credential"]
_LEAST_MESSAGES = 3  # what was asked, what was answered, what is asked now
_LOOKED_AT = 64  # of those that a prompt can hold
_MOST_OPEN = 4096  # of one kind; their memory and the time to find one are bounded
_NAME_BYTES = 8  # of the digest of the first request's id


class _Open(NamedTuple):
    """The last request of a chain, in the order by which one is looked for."""

    chars: int  # of its prompt and its answer
    end_us: int
    row: int
    messages: int


def with_inferred(
    log: pl.LazyFrame, most_pause_min: float = MOST_PAUSE_MIN
) -> pl.LazyFrame:
    """The log, with names for the sessions of requests that name none.

    Args:
        log: events; those without a session, a few columns of them, are read now.
        most_pause_min: the longest pause within a session, in minutes.

    Returns:
        The same rows; `session` is `inferred-…` where one of two requests or more was
        found.

    >>> from lectr_lab.log.schema import frame
    >>> with_inferred(frame([]).lazy()).collect().height
    0
    """
    start = pl.col("started_at").dt.timestamp("us")
    ms = pl.col("total_ms").fill_null(0.0)
    unnamed = (pl.col("session") == "").fill_null(True)
    known = pl.col("prompt_chars", "message_count").is_not_null()
    asked = (
        log.filter(unnamed, rows.is_request(), pl.all_horizontal(known))
        .select(
            *("event_id", *_ALIKE, "message_count", "prompt_chars"),
            pl.col("output_chars", "system_chars").fill_null(0),
            (pl.col("prefix_break") == "first").fill_null(False).alias("is_first"),
            start.alias("start_us"),
            (start + (ms * 1000).cast(pl.Int64)).alias("end_us"),
        )
        .sort("start_us", "event_id")
        .collect(engine="streaming")
    )
    named = pl.LazyFrame(
        {"event_id": asked["event_id"], "_inferred": _chains(asked, most_pause_min)},
        {"event_id": pl.Binary, "_inferred": pl.String},
    )
    named = named.drop_nulls().unique("event_id")
    both = log.join(named, on="event_id", how="left", maintain_order="left")
    session = pl.when(unnamed).then("_inferred").otherwise("session")
    return both.with_columns(session.alias("session")).drop("_inferred")


def _chains(asked: pl.DataFrame, most_pause_min: float) -> list[str | None]:
    """The session of each request, in their order."""
    alike = pl.struct(_ALIKE).rank("dense").cast(pl.Int64)
    facts = asked.select(
        *(alike.alias("alike"), "start_us", "end_us", "message_count"),
        *("prompt_chars", "output_chars", "system_chars", "is_first"),
    )
    first, several = list(range(asked.height)), set()
    for row, earlier in enumerate(_predecessors(facts, int(most_pause_min * 60e6))):
        if earlier is not None:
            first[row] = first[earlier]
            several.add(first[row])
    ids = asked["event_id"].to_list()
    named = {at: PREFIX + _digest(ids[at]) for at in several}
    return [named.get(at) for at in first]


def _digest(event_id: bytes) -> str:
    return blake2b(event_id, digest_size=_NAME_BYTES).hexdigest()


def _predecessors(facts: pl.DataFrame, pause_us: int) -> Iterator[int | None]:
    """From which earlier request each goes on, in the order of time."""
    chains: dict[tuple[int, int], list[_Open]] = {}
    for row, fact in enumerate(facts.iter_rows()):
        alike, start, end, messages, chars, answer, system, is_first = fact
        waiting = chains.setdefault((alike, system), [])
        if len(waiting) > _MOST_OPEN:
            waiting[:] = [one for one in waiting if start - one.end_us <= pause_us]
            del waiting[: len(waiting) - _MOST_OPEN]  # the shortest
        at = None
        if messages >= _LEAST_MESSAGES and not is_first:
            at = _longest_within(waiting, start, chars, messages, pause_us)
        yield None if at is None else waiting.pop(at).row
        insort(waiting, _Open(chars + answer, end, row, messages))


def _longest_within(
    waiting: list[_Open], start: int, chars: int, messages: int, pause_us: int
) -> int | None:
    """The place of the longest that this prompt can hold, and that had ended."""
    longest = bisect_right(waiting, (chars, start)) - 1
    for at in range(longest, max(longest - _LOOKED_AT, -1), -1):
        last = waiting[at]
        if last.messages < messages and 0 <= start - last.end_us <= pause_us:
            return at
    return None

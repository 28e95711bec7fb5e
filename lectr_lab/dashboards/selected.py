"""What is selected on a dashboard, in a user's words and in a page's.

A page speaks of places and pairs (dashboards/rows_behind.py); who writes a cell, of names
and times, as for `select`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

import polars as pl

from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.select import period
from lectr_lab.core.errors import LabError
from lectr_lab.core.event import unnamed
from lectr_lab.dashboards.rows_behind import shown

OTHERS = "all others"
_MS = 1_000
_PLACES = {
    "feature": ("features", ("org", "feature"), 1),
    "model": ("models", ("provider", "model"), 1),
    "error": ("errors", ("why", "whose"), 0),
    "session": ("sessions", ("org", "session"), 1),
}
"""Of each word: the page's, the columns of a pair, and which of them is named."""


def in_words(message: Mapping[str, Any], by: str = "feature") -> dict[str, Any]:
    """What a page says is selected, under the names that `message_of` takes.

    >>> in_words({"from": 0, "to": 3_600_000, "features": [["local", "chat"], ["local", None]]})
    {'since': '1970-01-01T00:00:00+00:00', 'until': '1970-01-01T01:00:00+00:00', 'feature': ['chat', 'untagged']}
    """
    said: dict[str, Any] = {}
    for end, word in (("from", "since"), ("to", "until")):
        if message.get(end) is not None:
            at = datetime.fromtimestamp(message[end] / _MS, UTC)
            said[word] = at.isoformat()
    for word, (key, _, at_) in _PLACES.items():
        own = by if word == "feature" else word
        names = [pair[at_] or unnamed(own) for pair in message.get(key) or []]
        names += [OTHERS] * bool(message.get(f"not_{key}"))
        if names:
            said[own] = list(dict.fromkeys(names))
    if message.get("providers"):
        said["provider"] = list(message["providers"])
    return said


def message_of(
    log: pl.LazyFrame,
    words: Mapping[str, Any],
    *,
    by: str = "feature",
    tz: str = "UTC",
) -> dict[str, Any]:
    """What a page is told to select.

    Args:
        log: events with `cost_usd`, in which names are looked up.
        words: `feature` (or what stands in its place), `model`, `error`, `session`,
            `provider`: one name or several; `since` and `until` as for `select`.
        by: the column in the place of the features.
        tz: the time zone of days.

    Raises:
        LabError: no such word, a name that the log does not have, or no time.
    """
    given = {word: some for word, some in words.items() if some is not None}
    since, until = given.pop("since", None), given.pop("until", None)
    when = period(since, until, tz=tz, now=datetime.now(UTC))
    message: dict[str, Any] = {
        key: moment.timestamp() * _MS
        for key, moment in (("from", when.first), ("to", when.end))
        if moment is not None
    }
    known = {by if word == "feature" else word: word for word in _PLACES}
    for word, some in given.items():
        names = [some] if isinstance(some, str) else list(some)
        if word == "provider":
            message["providers"] = names
        elif word in known:
            key, pair, at = _PLACES[known[word]]
            message[key] = _pairs(log, word, names, pair, at, by)
        else:
            may = ", ".join([*known, "provider", "since", "until"])
            raise LabError(f"A dashboard does not select by {word!r}, but by {may}.")
    return message


def _pairs(
    log: pl.LazyFrame,
    word: str,
    names: list[str],
    pair: tuple[str, str],
    at: int,
    by: str,
) -> list[list[str | None]]:
    """The pairs in which these names stand; all orgs' and all providers'."""
    there = shown(log.filter(rows.is_request()), by).select(pair).unique()
    if word == "error":
        there = there.filter(pl.col("why").is_not_null())
    found = there.sort(pair).collect(engine="streaming").rows()
    named = {name: [] for name in names}  # type: dict[str, list[list[str | None]]]
    for one in found:
        name = one[at] or unnamed(word)
        if name in named:
            named[name].append(list(one))
    for name, own in named.items():
        if not own:
            some = [str(one[at] or unnamed(word)) for one in found]
            near = get_close_matches(name, some, n=2) or some[:2] or ["nothing"]
            raise LabError(
                f"No {word} {name!r} in this log; it has, for one: {', '.join(near)}."
            )
    return [one for own in named.values() for one in own]

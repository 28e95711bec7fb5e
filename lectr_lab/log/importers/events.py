"""One call of an export as a row of the log: fitted, and no more certain than it is.

What holds for every source stands here. A 0 that contradicts the row is not a count: no
call of a model takes 0 tokens, and what took tokens was not free, unless a cache of the
gateway answered, which the source has to say. Where no outcome is given the status
tells it; where both are and disagree, the outcome stays and it is said.
"""

import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from lectr_lab.core.column import ColumnSpec
from lectr_lab.core.event import columns
from lectr_lab.core.event_values import GATEWAY_CACHE, NOT_CALLS
from lectr_lab.core.ids import event_id
from lectr_lab.log.importers.fields import Imported, fitted
from lectr_lab.log.importers.provider_names import provider_of_model
from lectr_lab.log.importers.report import Tally

NO_TIME = "rows without a time that can be read"
ZERO_TOKENS = (
    "calls with 0 tokens, which none takes: their tokens and cost are not known"
)
NO_TOKENS = "answered calls without tokens or another count: their cost is not known"
ZERO_COST = "calls with tokens and a cost of 0, which is not taken for what they cost"
NO_OUTCOME = "calls without outcome or status: taken for answered"
DISAGREE = "calls whose status contradicts their outcome, which is kept"
_EMPTY = (None, "")
_CLIENT_CLOSED = 499  # nginx's
_TIMEOUTS = frozenset({408, 504})


def event_of(
    row: Imported,
    *,
    source: str,
    org: str,
    hashed: Callable[[str], str],
    tally: Tally,
) -> dict[str, Any]:
    """The values of a row's event, by column; a column without one is left out.

    Args:
        row: as a reader gave it; a `user` in it is hashed.
        source: what the row's id is unique in.
        org: the organisation that the event belongs to.
        hashed: gives the keyed hash of what may name a person.
        tally: counts what is odd.
    """
    if row.is_own:
        return _own(row, source, org)
    given = dict(row.facts)
    if (user := given.get("user")) not in _EMPTY:
        given["user"] = hashed(str(user))
    event = {}
    for name, value in given.items():
        fits = fitted(name, value)
        if fits is not None:
            event[name] = fits
        elif value not in _EMPTY:
            tally.unreadable[name] += 1
    _settle_outcome(event, tally)
    _settle_counts(event, tally)
    if "provider" not in event:
        model = event.get("model_actual") or event.get("model_requested")
        if provider := provider_of_model(model):
            event |= {"provider": provider, "provider_source": "model"}
    counted = "input_tokens" in event
    return event | {
        "event_id": _id(_ms(event), source, org, row.source_id),
        "org": org,
        "kind": "request",
        "source": source,
        "source_id": fitted("source_id", row.source_id) or hashed(row.source_id),
        "token_source": ("absent", "provider")[counted],
    }


def _own(row: Imported, source: str, org: str) -> dict[str, Any]:
    """A row of a log like this one, as it was there."""
    event = {name: value for name, value in row.facts.items() if value is not None}
    if not isinstance(event.get("event_id"), bytes) or len(event["event_id"]) != 16:
        event["event_id"] = _id(_ms(event), source, org, row.source_id)
    rest = {"org": org, "kind": "request", "token_source": "absent"}
    return {**rest, **event}


def identity(source: str, org: str, source_id: str) -> bytes:
    """The end of the ids of all events that a row of a source becomes, whatever time it
    is said to be of: what `event_id` has behind its 6 bytes of time.

    >>> len(identity("litellm", "default", "chatcmpl-1"))
    10
    """
    return _id(0, source, org, source_id)[6:]


def _ms(event: Mapping[str, Any]) -> int:
    at = event.get("started_at")
    return int(at.timestamp() * 1000) if at is not None else 0


def _id(ms: int, source: str, org: str, source_id: str) -> bytes:
    digest = hashlib.sha256(
        f"{source}\n{org}\n{source_id}".encode("utf-8", "surrogatepass")
    ).digest()
    return event_id(max(ms, 0), int.from_bytes(digest[:10]))


def _settle_outcome(event: dict[str, Any], tally: Tally) -> None:
    outcome, status = event.get("outcome"), event.get("status")
    if outcome is not None:
        well = outcome in ("ok", "client_disconnect", "error_in_stream")
        if status is not None and (status < 400) != well:
            tally.said[DISAGREE] += 1
        return
    if status is None and "error_type" not in event:
        tally.said[NO_OUTCOME] += 1
    event["outcome"] = _outcome(status, "error_type" in event)


def _outcome(status: int | None, failed: bool) -> str:
    if status == _CLIENT_CLOSED:
        return "client_disconnect"
    if status in _TIMEOUTS:
        return "timeout"
    if status is not None and status >= 400:
        return "provider_error"
    return "provider_error" if failed else "ok"


def _settle_counts(event: dict[str, Any], tally: Tally) -> None:
    """Take out the zeros that are no counts, and say of what nothing was counted."""
    if not event.get("input_tokens"):
        billed = any(event.get(name) for name in _other_units())
        is_free = event.get("operation") in NOT_CALLS
        if event["outcome"] == "ok" and not (billed or is_free):
            tally.said[ZERO_TOKENS if "input_tokens" in event else NO_TOKENS] += 1
    if event.get("input_tokens") == 0:
        for name in _token_columns():
            if event.get(name) == 0:
                del event[name]
    if event.get("cost_stated_usd") == 0 and event.get("input_tokens"):
        if event.get("service_tier") == GATEWAY_CACHE:
            return
        tally.said[ZERO_COST] += 1
        del event["cost_stated_usd"]


@cache
def _token_columns() -> tuple[str, ...]:
    return _columns(lambda c: c.unit == "tokens" and c.name != "max_output_tokens")


@cache
def _other_units() -> tuple[str, ...]:
    """What is billed and is no token."""
    return _columns(
        lambda c: ".usage." in c.otel and c.unit not in ("tokens", "USD", "")
    )


def _columns(fits: Callable[[ColumnSpec], bool]) -> tuple[str, ...]:
    return tuple(c.name for c in columns() if fits(c))

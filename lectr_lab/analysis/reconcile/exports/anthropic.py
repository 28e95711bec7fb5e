"""Anthropic's usage and costs: its Admin API's reports and the Console's files.

Its input tokens leave out the cached ones. The API's amounts are in cents.
"""

from collections.abc import Mapping

from lectr_lab.analysis.reconcile.exports.shape import (
    Charged,
    Dimensions,
    Row,
    Said,
    Shape,
    Unclear,
    Used,
    count,
    day_of,
    dollars,
    in_dollars,
    model_name,
    some,
    word,
)
from lectr_lab.core.pricing.geo import ANYWHERE
from lectr_lab.core.pricing.tiers import STANDARD_TIERS

_REFERENCE = (
    "built from platform.claude.com/docs/en/api/admin, as of 2026-11; the page's form was "
    "built from its documentation as of 2026-11; a cookbook of theirs is said to show it"
)
_CONSOLE = "built from a file in this form, whose origin is not known, 2026-11"
_TIERS = {*STANDARD_TIERS, "batch", "priority", "priority_on_demand", "flex"}
_PLAN = (
    "{} of its rows are of a subscription, which bills no tokens: they are left out."
)
_ESTIMATES = "Its amounts are Anthropic's own estimates, not what was billed."


def _messages(rows: list[Row]) -> Said:
    return Said(tuple(map(_message, rows)))


def _message(row: Row) -> Used:
    written = row.get("cache_creation") or {}
    if not isinstance(written, Mapping):
        raise Unclear("cache_creation is no object")
    tools = row.get("server_tool_use") or {}
    return _used(
        row["start_time"],
        row["model"],
        _dimensions(row),
        uncached=count(row, "uncached_input_tokens"),
        read=count(row, "cache_read_input_tokens"),
        written=count(written, "ephemeral_5m_input_tokens"),
        written_1h=count(written, "ephemeral_1h_input_tokens"),
        output=count(row, "output_tokens"),
        searches=count(tools, "web_search_requests"),
    )


def _console(rows: list[Row]) -> Said:
    return Said(tuple(map(_line, rows)))


def _line(row: Row) -> Used:
    return _used(
        row["usage_date_utc"],
        row["model_version"],
        _dimensions({"service_tier": _tier(row)} | dict(row)),
        uncached=count(row, "usage_input_tokens_no_cache"),
        read=count(row, "usage_input_tokens_cache_read"),
        written=count(row, "usage_input_tokens_cache_write_5m"),
        written_1h=count(row, "usage_input_tokens_cache_write_1h"),
        output=count(row, "usage_output_tokens"),
        searches=count(row, "web_search_count"),
    )


def _tier(row: Row) -> str | None:
    """The tier that the Console's column of kinds of usage names; None for other kinds."""
    kind = word(row, "usage_type")
    return kind if kind in _TIERS else None


def _claude_code(rows: list[Row]) -> Said:
    """A record is of a person and a day, and has a part for each model."""
    of_plans = sum(word(row, "customer_type") == "subscription" for row in rows)
    used, charged = [], []
    for row in rows:
        if word(row, "customer_type") == "subscription":
            continue
        for part in row.get("model_breakdown") or ():
            tokens, cost = part.get("tokens") or {}, part.get("estimated_cost") or {}
            in_dollars(cost, "currency")
            one = _used(
                row["date"],
                part["model"],
                Dimensions(),
                uncached=count(tokens, "input"),
                read=count(tokens, "cache_read"),
                written=count(tokens, "cache_creation"),
                written_1h=0,
                output=count(tokens, "output"),
                searches=0,
            )
            used.append(one)
            charged.append(Charged(one.day, one.model, dollars(cost, "amount") / 100))
    notes = (_PLAN.format(of_plans),) if of_plans else ()
    return Said(tuple(used), tuple(charged), (*notes, _ESTIMATES))


def _costs(rows: list[Row]) -> Said:
    for row in rows:
        in_dollars(row, "currency")
    return Said(
        charged=tuple(
            Charged(
                day_of(row["start_time"]),
                _billed_for(row),
                dollars(row, "amount") / 100,
            )
            for row in rows
        )
    )


def _console_costs(rows: list[Row]) -> Said:
    return Said(
        charged=tuple(
            Charged(
                day_of(row["usage_date_utc"]),
                _billed_for(row),
                dollars(row, "cost_usd"),
            )
            for row in rows
        )
    )


def _billed_for(row: Row) -> str | None:
    """The model, or what else it was; None where a row is all of its day."""
    named = row.get("model") or row.get("cost_type") or row.get("description")
    return str(named).strip() if named else None


def _used(
    day: object,
    model: object,
    dimensions: Dimensions,
    *,
    uncached: int,
    read: int,
    written: int,
    written_1h: int,
    output: int,
    searches: int,
) -> Used:
    counts = {
        "input_tokens": uncached + read + written + written_1h,
        "cache_read_tokens": read,
        "cache_write_tokens": written + written_1h,
        "cache_write_1h_tokens": written_1h,
        "output_tokens": output,
        "web_searches": searches,
    }
    return Used(day_of(day), model_name(model), None, some(counts.items()), dimensions)


def _dimensions(row: Row) -> Dimensions:
    tier, speed = word(row, "service_tier"), word(row, "speed")
    window, geo = word(row, "context_window"), word(row, "inference_geo")
    if speed == "fast" and tier in (None, *STANDARD_TIERS):
        tier = speed
    return Dimensions(
        "standard" if tier in STANDARD_TIERS else tier,
        None if window is None else _is_long(window),
        "" if geo in ANYWHERE else geo,
    )


def _is_long(window: str) -> bool:
    """Whether a window is the one above 200,000: "200k-1M", "> 200k"; else "0-200k".

    >>> _is_long("200k-1m"), _is_long("0-200k"), _is_long("≤ 200k"), _is_long("> 200k")
    (True, False, False, True)
    """
    return window.replace(" ", "").startswith((">", "200k"))


SHAPES = (
    Shape(
        "Anthropic's usage report for messages",
        "anthropic",
        _REFERENCE,
        lambda keys, _: "uncached_input_tokens" in keys,
        _messages,
    ),
    Shape(
        "the Console's usage",
        "anthropic",
        _CONSOLE,
        lambda keys, _: "usage_input_tokens_no_cache" in keys,
        _console,
    ),
    Shape(
        "Anthropic's report of Claude Code",
        "anthropic",
        _REFERENCE,
        lambda keys, _: {"model_breakdown", "date"} <= keys,
        _claude_code,
        clients=("claude-code",),
    ),
    Shape(
        "the Console's costs",
        "anthropic",
        _CONSOLE,
        lambda keys, _: {"cost_usd", "usage_date_utc"} <= keys,
        _console_costs,
    ),
    Shape(
        "Anthropic's cost report",
        "anthropic",
        _REFERENCE,
        lambda keys, first: (
            "amount" in keys and not isinstance(first.get("amount"), Mapping)
        ),
        _costs,
    ),
)
"""Of its reports and files, those that are known."""

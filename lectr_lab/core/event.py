"""The event: one finished request as it goes on record, and the log's whole schema.

One field is one Parquet column, named here and in `event_v1.py` alone, with its unit,
its meaning and its OpenTelemetry name (GenAI semantic conventions, as of October 2026;
`lectr.*` where they have none). What nobody said is None, never 0. There is no field
that could hold a prompt, an answer or a key.

New fields stand behind the old ones: a journal's arrays are in this order.
"""

from typing import Annotated

from lectr_lab.core.column import ColumnSpec, column, columns_of
from lectr_lab.core.event_v1 import EventV1
from lectr_lab.core.event_values import Credential, PrefixBreak, TurnKind

SCHEMA_VERSION = 2
"""Goes up when a column is added, dropped or changes its meaning."""

UNTAGGED = "untagged"
"""What a feature of None is called: in rules, settings, and wherever it is shown."""


def unnamed(column: str) -> str:
    """What is missing in a column is called by this name, where rows are grouped.

    >>> unnamed("session"), unnamed("turn_kind"), unnamed("feature")
    ('no session', 'no turn kind', 'untagged')
    """
    return UNTAGGED if column == "feature" else f"no {column.replace('_', ' ')}"


class Event(EventV1, frozen=True, kw_only=True, array_like=True):
    """One finished request: counts and names, never content."""

    # which run
    client: Annotated[
        str | None,
        column(
            "the program that asked, by family, such as claude-code", "user_agent.name"
        ),
    ] = None
    client_version: Annotated[
        str | None, column("its version, as it says", "user_agent.version")
    ] = None
    session: Annotated[
        str | None,
        column(
            "X-Lectr-Session, or the client's own id of its session",
            "gen_ai.conversation.id",
        ),
    ] = None
    agent: Annotated[
        str | None,
        column(
            "the client's id of the agent within the session, the main one has none",
            "gen_ai.agent.id",
        ),
    ] = None
    parent_agent: Annotated[
        str | None,
        column(
            "the agent that started it; the session's own id is the main agent",
            "lectr.agent.parent",
        ),
    ] = None
    turn_kind: Annotated[
        TurnKind | None,
        column(
            "whose turn of a session it was, where the client says it",
            "lectr.turn_kind",
        ),
    ] = None
    user: Annotated[
        str | None,
        column("X-Lectr-User, or a keyed hash of the body's user id", "user.id"),
    ] = None
    trace_id: Annotated[
        str | None,
        column("of the client's traceparent, 32 hex digits", "lectr.trace_id"),
    ] = None
    credential: Annotated[
        Credential | None, column("what kind of credential paid", "lectr.credential")
    ] = None

    # what
    request_read: Annotated[
        bool | None, column("the body could be read as a request", "lectr.request.read")
    ] = None
    facts_truncated: Annotated[
        bool | None,
        column(
            "too large or too intricate to be read whole: what lies beyond is null",
            "lectr.facts_truncated",
        ),
    ] = None
    source: Annotated[
        str | None, column("where an imported row is from", "lectr.source")
    ] = None
    source_id: Annotated[str | None, column("its id there", "lectr.source.id")] = None
    provider_response_id: Annotated[
        str | None,
        column("the id that the reply names itself by", "gen_ai.response.id"),
    ] = None

    # how it went
    retry_of_failed: Annotated[
        bool | None,
        column("the same body again, after a failure", "lectr.request.retry_of_failed"),
    ] = None

    # how much
    image_count: Annotated[
        int | None, column("images made", "lectr.usage.images", "images")
    ] = None
    audio_seconds: Annotated[
        float | None,
        column(
            "audio heard or made, where it is billed by time", "lectr.usage.audio", "s"
        ),
    ] = None
    input_characters: Annotated[
        int | None,
        column(
            "input, where it is billed by characters",
            "lectr.usage.input_characters",
            "characters",
        ),
    ] = None
    rerank_searches: Annotated[
        int | None,
        column(
            "searches billed for ranking", "lectr.usage.rerank_searches", "searches"
        ),
    ] = None
    other_tool_calls: Annotated[
        int | None,
        column(
            "calls of other tools that the provider ran and bills",
            "lectr.usage.other_tool_calls",
            "calls",
        ),
    ] = None
    inference_geo: Annotated[
        str | None,
        column("where the provider says it ran", "lectr.response.inference_geo"),
    ] = None
    cost_stated_usd: Annotated[
        float | None,
        column(
            "what the provider itself says that it cost",
            "lectr.usage.cost_stated",
            "USD",
        ),
    ] = None

    # cache
    prefix_chars: Annotated[
        int | None,
        column(
            "the part of prompt_chars that an earlier request of its session can have "
            "sent, and so a cache hold; tools count in proportion",
            "lectr.prefix.chars",
            "characters",
        ),
    ] = None
    prefix_kept_chars: Annotated[
        int | None,
        column(
            "the part of it unchanged since the session's previous request",
            "lectr.prefix.kept_chars",
            "characters",
        ),
    ] = None
    prefix_break: Annotated[
        PrefixBreak | None,
        column(
            "what changed first since its session's previous request; null where that "
            "was not seen",
            "lectr.prefix.break",
        ),
    ] = None
    idle_s: Annotated[
        float | None,
        column(
            "from the start of the previous request with that prefix to this one's",
            "lectr.prefix.idle",
            "s",
        ),
    ] = None


def columns() -> tuple[ColumnSpec, ...]:
    """Every column of the log, in the order of the schema.

    >>> [c.name for c in columns()][:3]
    ['event_id', 'started_at', 'org']
    """
    return columns_of(Event)

"""Whose turn of a session a request is, by what each program sends with it.

Facts, from recorded requests (2026-11-29) and the programs' public sources:

- Claude Code's subagents name themselves (`x-claude-code-agent-id`). Its side calls, such
  as a title for the session, have no tools, and lack `claude-code-…` in `anthropic-beta`.
  Its compaction is known by how its last text begins (`core.llm_api.compaction`).
- Codex says it in `x-codex-turn-metadata` (`request_kind`: turn, compaction, prewarm) and
  in `x-openai-subagent` (review, compact, memory_consolidation, collab_spawn, …).
- opencode's subagents have a session of their own with a parent, which gets no title.
  Titles and summaries of the others have no tools; agents have some.
- Copilot says it in `x-interaction-type`.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from lectr_lab.core.event_values import NOT_CALLS, Operation, TurnKind

_MOST_BYTES = 64 * 1024  # of a header: it names files of a large workspace
_INTERACTIONS: dict[bytes, TurnKind] = {
    b"conversation-user": "main",
    b"conversation-agent": "main",
    b"conversation-subagent": "subagent",
    b"conversation-background": "side_call",
    b"conversation-compaction": "compaction",
}


class Turn(NamedTuple):
    """What is known of a request that could tell."""

    first: Mapping[bytes, bytes]  # its headers, names in lower case
    is_agents: bool  # it names an agent that is not the main one
    has_tools: bool | None
    compacts: bool = False  # by how its last text begins


class _Metadata(msgspec.Struct):
    """`x-codex-turn-metadata`; a workspace's path and commit in it are skipped."""

    request_kind: Any = None
    thread_source: Any = None


_METADATA = msgspec.json.Decoder(_Metadata)


def turn_kind(family: str | None, operation: Operation, turn: Turn) -> TurnKind | None:
    """Whose turn it is.

    Args:
        family: of the program that asks.
        operation: as in the event.
        turn: what else is known.

    Returns:
        None where nobody can tell, and for what is no call of a model.

    >>> turn_kind("claude-code", "messages", Turn({}, True, True))
    'subagent'
    >>> turn_kind("openai-python", "chat", Turn({}, False, None))
    """
    if (
        operation in NOT_CALLS
        or b"websocket" in turn.first.get(b"upgrade", b"").lower()
    ):
        return None
    if operation == "compact":
        return "compaction"
    tell = _TELL.get(family or "")
    if tell is not None:
        return tell(turn)
    return "subagent" if turn.is_agents else None


def _claude_code(turn: Turn) -> TurnKind | None:
    if turn.compacts:
        return "compaction"
    if turn.is_agents:
        return "subagent"
    if b"claude-code-" in turn.first.get(b"anthropic-beta", b"") or turn.has_tools:
        return "main"
    return "side_call" if turn.has_tools is False else None


def _codex(turn: Turn) -> TurnKind | None:
    said = turn.first.get(b"x-openai-subagent", b"").strip()
    metadata = _metadata(turn.first.get(b"x-codex-turn-metadata", b""))
    kind = metadata.request_kind
    if kind == "compaction" or said == b"compact":
        return "compaction"
    if said == b"memory_consolidation":
        return "side_call"
    if turn.is_agents or said or metadata.thread_source == "subagent":
        return "subagent"
    return "main" if kind in (None, "turn") else None


def _opencode(turn: Turn) -> TurnKind | None:
    if turn.is_agents:
        return "subagent"
    if turn.has_tools is False:
        return "side_call"
    return "main" if turn.has_tools else None


def _copilot(turn: Turn) -> TurnKind | None:
    return _INTERACTIONS.get(turn.first.get(b"x-interaction-type", b"").strip())


def _metadata(value: bytes) -> _Metadata:
    if not value or len(value) > _MOST_BYTES:
        return _Metadata()
    try:
        return _METADATA.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Metadata()


_TELL: dict[str, Callable[[Turn], TurnKind | None]] = {
    "claude-code": _claude_code,
    "codex": _codex,
    "opencode": _opencode,
    "copilot-cli": _copilot,
    "copilot-chat": _copilot,
}

TELLING_FAMILIES = frozenset(_TELL)
"""The programs whose requests say whose turn they are."""

"""Whose turn a request is: each program's own signs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.event_values import NOT_CALLS
from lectr_lab.core.identity.turns import Turn, turn_kind

MAIN_BETA = {"anthropic-beta": "claude-code-20250219,effort-2025-11-24"}
SIDE_BETA = {"anthropic-beta": "structured-outputs-2025-12-15"}


def codex(kind: str, **more: str) -> dict[str, str]:
    """Headers of a turn, with what is personal in them."""
    workspace = '{"/home/alice/work": {"latest_git_commit_hash": "31268b71"}}'
    metadata = f'{{"request_kind": "{kind}", "workspaces": {workspace}}}'
    return {"x-codex-turn-metadata": metadata} | {
        name.replace("_", "-"): value for name, value in more.items()
    }


# Program, headers, another agent than the main one, tools; and whose turn that is.
SEEN = [
    ("claude-code", MAIN_BETA, False, True, "main"),
    ("claude-code", MAIN_BETA, False, False, "main"),  # started without tools
    ("claude-code", SIDE_BETA, False, False, "side_call"),  # a title
    ("claude-code", SIDE_BETA, False, True, "main"),  # on a model without that beta
    ("claude-code", SIDE_BETA, False, None, None),  # its body was not read
    ("claude-code", MAIN_BETA, True, True, "subagent"),
    ("codex", codex("turn"), False, True, "main"),
    ("codex", {}, False, True, "main"),
    ("codex", {"x-codex-turn-metadata": "[]"}, False, True, "main"),
    ("codex", {"x-codex-turn-metadata": "{"}, False, True, "main"),
    ("codex", codex("turn", x_openai_subagent="collab_spawn"), True, True, "subagent"),
    ("codex", codex("turn", x_openai_subagent="review"), False, True, "subagent"),
    ("codex", codex("compaction"), False, True, "compaction"),
    ("codex", codex("compaction"), True, True, "compaction"),
    ("codex", {"x-openai-subagent": "compact"}, False, None, "compaction"),
    (
        "codex",
        {"x-openai-subagent": "memory_consolidation"},
        False,
        None,
        "side_call",
    ),
    ("codex", codex("prewarm"), False, None, None),
    ("opencode", {}, False, True, "main"),
    ("opencode", {}, False, False, "side_call"),
    ("opencode", {}, True, True, "subagent"),
    ("opencode", {}, True, False, "subagent"),
    ("opencode", {}, False, None, None),
    ("copilot-cli", {"x-interaction-type": "conversation-user"}, False, True, "main"),
    (
        "copilot-cli",
        {"x-interaction-type": "conversation-subagent"},
        False,
        True,
        "subagent",
    ),
    ("copilot-cli", {"x-interaction-type": "else"}, False, True, None),
    ("gemini-cli", {}, False, True, None),
    ("openai-python", {}, False, True, None),
    (None, {}, True, True, "subagent"),  # whoever else passes an agent's name on
]


@pytest.mark.parametrize(("program", "headers", "is_agents", "tools", "kind"), SEEN)
def test_a_turn_is_told_by_its_programs_signs(program, headers, is_agents, tools, kind):
    """Null where they do not say."""
    first = {name.encode(): value.encode() for name, value in headers.items()}

    assert turn_kind(program, "responses", Turn(first, is_agents, tools)) == kind


@pytest.mark.parametrize("operation", NOT_CALLS)
def test_what_asks_no_model_is_nobodys_turn(operation):
    """A count of tokens, a list of models."""
    assert turn_kind("claude-code", operation, Turn({}, True, True)) is None


def test_an_offer_of_a_websocket_is_nobodys_turn():
    """It is declined, and the turn comes after it."""
    offer = {b"upgrade": b"WebSocket"}

    assert turn_kind("codex", "responses", Turn(offer, False, None)) is None


@pytest.mark.parametrize("is_agents", [False, True])
def test_claude_codes_compaction_is_known_by_its_text(is_agents):
    """The main agent's and a subagent's; another program's text tells nothing."""
    turn = Turn({}, is_agents, True, compacts=True)

    assert turn_kind("claude-code", "messages", turn) == "compaction"
    assert turn_kind("openai-python", "messages", turn) != "compaction"


def test_a_compaction_is_known_by_its_path():
    """Whoever asks for it."""
    assert turn_kind(None, "compact", Turn({}, False, None)) == "compaction"


@given(st.binary())
def test_metadata_may_be_anything(value):
    """It never raises."""
    turn_kind(
        "codex", "responses", Turn({b"x-codex-turn-metadata": value}, False, None)
    )

"""The session and the agent that a program's headers name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.identity.sessions import named_in

# As recorded: headers, then program, session, agent and parent.
SEEN = {
    "claude": (
        {"x-claude-code-session-id": "s"},
        ("claude-code", "s", None, None),
    ),
    "claude's subagent": (
        {"x-claude-code-session-id": "s", "x-claude-code-agent-id": "a"},
        ("claude-code", "s", "a", None),
    ),
    "a subagent's subagent": (
        {
            "x-claude-code-session-id": "s",
            "x-claude-code-agent-id": "b",
            "x-claude-code-parent-agent-id": "a",
        },
        ("claude-code", "s", "b", "a"),
    ),
    "codex": (
        {"session-id": "s", "thread-id": "s", "x-client-request-id": "s"},
        ("codex", "s", None, None),
    ),
    "codex's subagent": (
        {"session-id": "s", "thread-id": "t", "x-codex-parent-thread-id": "s"},
        ("codex", "s", "t", "s"),
    ),
    "an older codex": ({"session_id": "s"}, ("codex", "s", None, None)),
    "opencode": (
        {"x-session-affinity": "s", "x-session-id": "s"},
        ("opencode", "s", None, None),
    ),
    "opencode at openai": (
        {"session-id": "s", "x-session-affinity": "s", "x-session-id": "s"},
        ("opencode", "s", None, None),
    ),
    "opencode's subagent": (
        {"x-parent-session-id": "s", "x-session-affinity": "c", "x-session-id": "c"},
        ("opencode", "s", "c", "s"),
    ),
    "opencode at its own": ({"x-opencode-session": "s"}, ("opencode", "s", None, None)),
    "an agent without a session": (
        {"x-claude-code-agent-id": "a"},
        (None, None, None, None),
    ),
    "blank": ({"session-id": " "}, (None, None, None, None)),
    "an sdk": ({"x-stainless-lang": "python"}, (None, None, None, None)),
}


@pytest.mark.parametrize("name", SEEN)
def test_a_run_is_known_by_its_programs_headers(name):
    """The main agent has no name of its own; a subagent of opencode's is in the session
    of its parent."""
    headers, told = SEEN[name]

    named = named_in({n.encode(): v.encode() for n, v in headers.items()})

    assert named == tuple(t.encode() if t and i else t for i, t in enumerate(told))


@given(
    st.dictionaries(st.sampled_from([b"session-id", b"thread-id"]), st.binary()),
)
def test_an_agent_is_never_named_without_a_session(headers):
    """Whatever they hold, nothing raises."""
    named = named_in(headers)

    assert named.session or named == (None, None, None, None)
    assert named.agent is None or named.agent != named.session

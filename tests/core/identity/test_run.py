"""Who asks, and in which run, out of headers and body: and nothing personal as sent."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.headers import ClientHeaders
from lectr_lab.core.identity.keyed_hash import KeyedHash
from lectr_lab.core.identity.run import Run, run_of
from lectr_lab.core.llm_api.request import RequestFacts, read_request

HASHES = KeyedHash("0123456789abcdef")
KEY = "sk-proj-secret"
SENT = ClientHeaders(provider_key=KEY.encode())


def run(headers: dict[str, str], body: bytes = b"{}", operation="messages") -> Run:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    facts = read_request(body, operation) or RequestFacts()
    return run_of(raw, operation, facts, SENT, keyed_hash=HASHES)


CLAUDE = {
    "user-agent": "claude-cli/2.1.332 (external, cli)",
    "x-claude-code-session-id": "eb022845-160c-49e1-a6d6-d283f38a0d18",
    "anthropic-beta": "claude-code-20250219",
}
CODEX = {
    "user-agent": "codex_exec/0.171.0 (Debian 12.0.0; x86_64) xterm",
    "session-id": "01a228f2-4e7e-7b60-b644-79b532d99133",
    "thread-id": "01a228f2-4f55-7071-8567-613b58a5e156",
    "x-codex-parent-thread-id": "01a228f2-4e7e-7b60-b644-79b532d99133",
    "x-openai-subagent": "collab_spawn",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
}


def test_a_subagent_of_claude_code():
    """Its session and its own name; its user is the device, hashed."""
    body = rb'{"tools": [{}], "metadata": {"user_id": "{\"device_id\":\"d1\",'
    body += rb'\"account_uuid\":\"\",\"session_id\":\"x\"}"}}'

    told = run(CLAUDE | {"x-claude-code-agent-id": "a5f40de73ddbda7e5"}, body)

    assert told == Run(
        client="claude-code",
        client_version="2.1.332",
        session="eb022845-160c-49e1-a6d6-d283f38a0d18",
        agent="a5f40de73ddbda7e5",
        turn_kind="subagent",
        user=HASHES.of("d1"),
    )


def test_a_subagent_of_codex():
    """In its parent's session, on its trace."""
    assert run(CODEX, operation="responses") == Run(
        client="codex",
        client_version="0.171.0",
        session="01a228f2-4e7e-7b60-b644-79b532d99133",
        agent="01a228f2-4f55-7071-8567-613b58a5e156",
        parent_agent="01a228f2-4e7e-7b60-b644-79b532d99133",
        turn_kind="subagent",
        trace_id="0af7651916cd43dd8448eb211c80319c",
    )


def test_what_the_operator_names_goes_before_what_the_program_does():
    """X-Lectr-Session and X-Lectr-User, as sent; the agent is the program's still."""
    named = {"x-lectr-session": " Nachtlauf Ä/1 ", "x-lectr-user": "alice@example.test"}

    told = run(CODEX | named, b'{"user": "u1"}', "responses")

    assert told.session == "Nachtlauf Ä/1"
    assert told.user == "alice@example.test"
    assert told.agent == CODEX["thread-id"]
    assert run({"x-lectr-session": " ", "x-lectr-user": ""}) == Run()


@pytest.mark.parametrize(
    "sent",
    [
        "alice@example.test",
        "/home/alice/work",
        "Alice's laptop",
        "x" * 129,
        "eyJhbGciOiJub25lIn0.e30.",
        "sk-ant-oat01-x",
        "gsk_another",
        "ghp_x",
    ],
)
def test_a_programs_id_that_could_be_more_is_hashed(sent):
    """As a session, an agent or its parent: grouped by, and not readable."""
    told = run(CODEX | {"session-id": sent, "x-codex-parent-thread-id": sent})

    assert told.session == told.parent_agent == HASHES.of(sent)
    assert told.agent == CODEX["thread-id"]


def test_without_a_secret_nothing_is_hashed():
    """What would be is left out."""
    headers = [(b"session-id", b"alice@example.test"), (b"thread-id", b"t")]
    facts = RequestFacts(user="alice")

    told = run_of(headers, "responses", facts, SENT)

    assert (told.session, told.agent, told.user) == (None, "t", None)


def test_a_key_is_never_an_id():
    """One that is in the request's own key stands redacted; in a body's, hashed."""
    names = ["x-lectr-session", "x-lectr-user", "session-id"]

    for name in names:
        told = run({name: f"s-{KEY}"})
        assert "[redacted]" in (told.session, told.user)
    told = run({}, b'{"user": "%s"}' % KEY.encode(), "chat")
    assert told.user == HASHES.of(KEY)


@pytest.mark.parametrize(
    ("key", "session"),
    [("1", "s-1"), ("none", "s-1"), ("sk-1", "[redacted]"), ("EMPTY", "s-1")],
)
def test_a_local_servers_key_is_in_no_id_by_chance(key, session):
    """`1` is in most of them; what looks like a key is one, however short."""
    sent = ClientHeaders(provider_key=key.encode())
    headers = [(b"session-id", b"s-1" if session == "s-1" else b"s-sk-1")]

    told = run_of(headers, "responses", RequestFacts(), sent)

    assert told.session == session


def test_an_operators_key_is_redacted_too():
    """As in the other words of a client."""
    headers = [(b"x-lectr-user", b"u-sk-operator")]
    keys = frozenset({"sk-operator"})

    assert run_of(headers, "chat", RequestFacts(), SENT, keys).user == "[redacted]"


def test_whatever_says_more_is_looked_at():
    """Each alone, with no session beside it."""
    trace = {"traceparent": CODEX["traceparent"]}
    sdk = {"user-agent": "OpenAI/Python 2.54.0"}

    assert run(sdk) == Run("openai-python", "2.54.0")
    assert run(sdk, operation="compact").turn_kind == "compaction"
    assert run(sdk | trace).trace_id
    assert run(sdk, b'{"user": "u1"}', "chat").user == HASHES.of("u1")
    assert run(sdk, b'{"conversation": "conv_1"}', "responses").session == "conv_1"
    assert run({"user-agent": "codex_cli_rs/1.0"}, operation="chat").turn_kind == "main"


def test_a_long_name_is_cut():
    """As other words of a client are."""
    told = run({"x-lectr-session": "é" * 2000, "x-lectr-user": "é" * 2000})

    assert len(told.session.encode()) <= 1024
    assert told.session.endswith("…")
    assert told.user == told.session


def test_the_first_of_a_repeated_header_counts():
    """As for all that is ours."""
    headers = [(b"x-lectr-session", b"one"), (b"x-lectr-session", b"two")]

    assert run_of(headers, "chat", RequestFacts(), SENT).session == "one"


values = st.binary(max_size=200)
NAMES = [b"x-lectr-session", b"x-lectr-user", b"user-agent", b"traceparent"]
NAMES += [b"session-id", b"thread-id", b"x-codex-parent-thread-id", b"x-session-id"]
NAMES += [b"x-claude-code-session-id", b"x-claude-code-agent-id", b"anthropic-beta"]
NAMES += [b"x-codex-turn-metadata", b"x-parent-session-id", b"x-interaction-type"]
OPAQUE = re.compile(r"[A-Za-z0-9_.:-]{1,128}|\[redacted\]")


@given(st.lists(st.tuples(st.sampled_from(NAMES), values)), st.text(), st.text())
def test_whatever_a_stranger_sends_is_bounded_and_no_sentence(headers, user, session):
    """Nothing raises; what programs name is an id by its form, or a hash."""
    facts = RequestFacts(user=user, session=session)

    told = run_of(headers, "responses", facts, SENT, keyed_hash=HASHES)

    given_names = dict(reversed(headers))
    ids = [told.agent, told.parent_agent]
    if not given_names.get(b"x-lectr-session", b"").strip():
        ids.append(told.session)
    if not given_names.get(b"x-lectr-user", b"").strip():
        ids.append(told.user)
    assert all(text is None or OPAQUE.fullmatch(text) for text in ids)
    assert all(len(str(text).encode()) <= 1024 for text in told)

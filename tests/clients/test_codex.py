"""Codex, as it is: each run beside its control straight at the provider."""

from collections import Counter

import pytest

from clients.agents import ACCOUNT, OPENAI_KEY, codex
from clients.beside import through
from clients.expected import checked
from lectr_lab.config.budget_settings import BudgetSettings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

HELLO = "Hello from the fake provider.\n"
TOOL = 'run it [[tool:exec_command {"cmd":"echo from-the-tool"}]]'
# The subagent is answered when its parent waits for it, so that all leave in one order.
SUBAGENT = (
    'ask [[tool:collaboration/spawn_agent {"task_name":"one","fork_turns":"none",'
    '"message":"say hi [[after:3]]"}]] '
    '[[tool:collaboration/wait_agent {"timeout_ms":120000}]]'
)


def test_it_answers_and_its_credential_arrives(agents, tmp_path):
    """An API key."""
    passed = checked(codex(agents, "say hi"), tmp_path)

    assert (passed.run.exit_code, passed.run.text) == (0, HELLO)
    keys = {call.header("authorization") for call in passed.calls}
    assert keys == {f"Bearer {OPENAI_KEY}"}


def test_what_it_compresses_arrives_as_it_was(agents, tmp_path):
    """With a ChatGPT login it sends zstd, and the account beside the token."""
    passed = checked(codex(agents, "say hi", login=True), tmp_path)

    [call] = [c for c in passed.calls if c.method == "POST"]
    assert call.header("content-encoding") == "zstd"
    assert call.header("chatgpt-account-id") == ACCOUNT
    assert passed.run.text == HELLO


def test_what_it_compresses_is_read(agents, tmp_path):
    """On a copy: the log names the model that was asked for."""
    passed = through(codex(agents, "say hi", login=True), tmp_path)

    [event] = [e for e in passed.events if e["operation"] == "responses"]
    assert (event["model_requested"], event["model_sent"]) == ("gpt-5.5", "gpt-5.5")
    assert event["has_tools"]


def test_it_calls_a_tool(agents, tmp_path):
    """The second request brings the tool's result."""
    passed = checked(codex(agents, TOOL), tmp_path)

    first, second = passed.calls
    assert b'"function_call_output"' not in first.plain
    assert b'"function_call_output"' in second.plain
    assert b"from-the-tool" in second.plain


def test_it_starts_a_subagent(agents, tmp_path):
    """Whose request names its parent."""
    passed = checked(codex(agents, SUBAGENT), tmp_path)

    parents = [c.header("x-codex-parent-thread-id") for c in passed.calls]
    assert len(parents) == 4
    assert sum(parent is not None for parent in parents) == 1
    told = [event for event in passed.events if event["operation"] == "responses"]
    [session] = {event["session"] for event in told}
    [subagent] = [event for event in told if event["agent"] is not None]
    named = {call.header("thread-id") for call in passed.calls}
    assert named == {session, subagent["agent"]}
    assert subagent["parent_agent"] == session
    kinds = Counter(event["turn_kind"] for event in told)
    assert kinds == {"main": 3, "subagent": 1}
    assert {event["client"] for event in told} == {"codex"}


def test_it_offers_a_websocket_and_goes_on_without(agents, tmp_path):
    """The offer is declined here, and never reaches the provider."""
    client = codex(agents, "say hi", more="supports_websockets = true")

    passed = checked(client, tmp_path)

    assert sum(c.header("upgrade") == "websocket" for c in passed.sent) == 1
    assert not [c for c in passed.run.seen if c.header("upgrade")]
    assert passed.run.text == HELLO
    [offer] = [e for e in passed.events if e["status"] == 426]
    assert (offer["outcome"], offer["provider"]) == ("refused", None)


@pytest.mark.parametrize(("status", "times"), [(529, 2), (429, 1)])
def test_it_retries_as_it_does_directly(agents, tmp_path, status, times):
    """The provider's failure is passed on, and the next attempt answered."""
    passed = checked(codex(agents, f"say hi [[error:{status} {times}]]"), tmp_path)

    assert [c.status for c in passed.calls] == [status] * times + [200]
    assert passed.run.text == HELLO


def test_a_wrong_key_of_ours_ends_it_with_our_text(agents, tmp_path):
    """And no provider is asked."""
    passed = through(codex(agents, "say hi"), tmp_path, key="lc_key_mistyped")

    assert passed.run.exit_code != 0
    assert "X-Lectr-Key" in passed.run.said
    assert (passed.calls, passed.events) == ([], [])


def test_it_shows_that_a_budget_is_spent(agents, tmp_path):
    """And ends: it neither asks again nor stays silent."""
    nothing_left = BudgetSettings(usd=1e-9, per="day", action="stop", name="the team")

    passed = through(codex(agents, "say hi"), tmp_path, budget=(nothing_left,))

    shown = passed.run.text + passed.run.said
    assert "The budget of the team has no room for this request" in shown
    assert passed.run.exit_code != 0
    assert [call for call in passed.calls if call.method == "POST"] == []
    refused = [e for e in passed.events if e["error_type"] == "budget_exceeded"]
    assert 1 <= len(refused) <= 3
    assert {event["operation"] for event in refused} == {"responses"}

"""Claude Code, as it is: each run beside its control straight at the provider."""

import shlex
from operator import itemgetter
from pathlib import Path

import pytest

from clients.agents import ANTHROPIC_KEY, PLAN_TOKEN, claude_code
from clients.beside import Door, Start, through
from clients.expected import checked
from lectr_lab.config.budget_settings import BudgetSettings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

KEY = {"ANTHROPIC_API_KEY": ANTHROPIC_KEY}
PLAN = {"CLAUDE_CODE_OAUTH_TOKEN": PLAN_TOKEN}
# Without one it looks first whether anybody is there: `HEAD /`.
NO_HTTP_PROXY = dict.fromkeys(["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"], "")
NO_HTTP_PROXY |= {name.lower(): "" for name in NO_HTTP_PROXY}
HELLO = "Hello from the fake provider.\n"
TOOL = 'run it [[tool:Bash {"command":"echo from-the-tool"}]]'
SUBAGENT = (
    'ask [[tool:Agent {"description":"d","prompt":"say hi",'
    '"subagent_type":"general-purpose"}]]'
)


@pytest.mark.parametrize(
    ("credential", "header"),
    [
        (KEY, ("x-api-key", ANTHROPIC_KEY)),
        (PLAN, ("authorization", f"Bearer {PLAN_TOKEN}")),
        (KEY | NO_HTTP_PROXY, ("x-api-key", ANTHROPIC_KEY)),
    ],
    ids=["key", "plan", "head"],
)
def test_it_answers_and_its_credential_arrives(agents, tmp_path, credential, header):
    """An API key, and a plan's token: each in the header that it came in."""
    passed = checked(claude_code(agents, "say hi", credential), tmp_path)

    assert (passed.run.exit_code, passed.run.text) == (0, HELLO)
    name, value = header
    assert {call.header(name) for call in passed.calls} == {value}


def test_it_calls_a_tool(agents, tmp_path):
    """The second request brings the tool's result."""
    client = claude_code(agents, TOOL, KEY, "--allowedTools", "Bash")

    passed = checked(client, tmp_path)

    first, second = passed.calls
    assert b'"tool_result"' not in first.plain
    assert b'"tool_result"' in second.plain and b"from-the-tool" in second.plain


def test_it_starts_a_subagent(agents, tmp_path):
    """Whose request names it, and its session."""
    passed = checked(claude_code(agents, SUBAGENT, PLAN), tmp_path)

    agents_named = [c.header("x-claude-code-agent-id") for c in passed.calls]
    sessions = {c.header("x-claude-code-session-id") for c in passed.calls}
    assert [bool(name) for name in agents_named] == [False, True, False]
    assert len(sessions) == 1
    told = sorted(passed.events, key=itemgetter("started_at"))
    told = [event for event in told if event["operation"] == "messages"]
    assert [event["agent"] for event in told] == agents_named
    assert {event["session"] for event in told} == sessions
    assert {event["parent_agent"] for event in told} == {None}
    assert [event["turn_kind"] for event in told] == ["main", "subagent", "main"]
    assert {event["client"] for event in told} == {"claude-code"}
    assert len({event["user"] for event in told}) == 1


def test_it_puts_its_conversation_in_short(agents, tmp_path):
    """Which no header says: two turns, and the one that does it."""

    turns = [
        claude_code(agents, "say hi", KEY),
        claude_code(agents, "again", KEY, "--continue"),
        claude_code(agents, "/compact", KEY, "--continue"),
    ]

    def all_of_them(door: Door, home: Path) -> Start:
        starts = [turn(door, home) for turn in turns]
        words = " && ".join(shlex.join(start.command) for start in starts)
        return Start(["sh", "-c", words], starts[0].environment)

    passed = through(all_of_them, tmp_path)

    told = sorted(passed.events, key=itemgetter("started_at"))
    assert [event["turn_kind"] for event in told] == ["main", "main", "compaction"]
    assert len({event["session"] for event in told}) == 1


@pytest.mark.parametrize(("status", "times"), [(529, 2), (429, 1)])
def test_it_retries_as_it_does_directly(agents, tmp_path, status, times):
    """The provider's failure is passed on, and the next attempt answered."""
    prompt = f"say hi [[error:{status} {times}]]"

    passed = checked(claude_code(agents, prompt, KEY), tmp_path)

    assert [c.status for c in passed.calls] == [status] * times + [200]
    assert passed.run.text == HELLO


def test_a_wrong_key_of_ours_ends_it_with_our_text(agents, tmp_path):
    """At its first attempt, and no provider is asked."""
    passed = through(
        claude_code(agents, "say hi", KEY), tmp_path, key="lc_key_mistyped"
    )

    assert passed.run.exit_code != 0
    assert "X-Lectr-Key" in passed.run.text
    assert (passed.calls, passed.events) == ([], [])
    assert passed.unknown_callers == 1


def test_it_shows_that_a_budget_is_spent(agents, tmp_path):
    """And ends: it neither asks again nor stays silent."""
    nothing_left = BudgetSettings(usd=1e-9, per="day", action="stop", name="the team")

    passed = through(
        claude_code(agents, "say hi", KEY), tmp_path, budget=(nothing_left,)
    )

    shown = passed.run.text + passed.run.said
    assert "The budget of the team has no room for this request" in shown
    assert passed.run.exit_code != 0
    assert [call for call in passed.calls if call.method == "POST"] == []
    refused = [e for e in passed.events if e["error_type"] == "budget_exceeded"]
    assert 1 <= len(refused) <= 3
    assert {event["operation"] for event in refused} == {"messages"}

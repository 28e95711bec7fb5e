"""What agents write down themselves, beside what passed: the same calls, once each.

The transcripts are the real clients' own, made here and not kept.
"""

import shlex
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from clients.agents import ANTHROPIC_KEY, claude_code, codex
from clients.beside import Client, Door, Start, through
from clients.test_claude_code import SUBAGENT as CLAUDE_SUBAGENT
from clients.test_codex import SUBAGENT as CODEX_SUBAGENT
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.importers.importing import import_log
from lectr_lab.log.scan import scan

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

COUNTS = "input_tokens output_tokens cache_read_tokens reasoning_tokens".split()
NAMES = "session agent turn_kind client client_version model_actual".split()


def both(
    client: Client, folder: Path, kind: str, transcripts: str, operation: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A run's calls, as they passed and as its transcripts have them."""
    passed = through(client, folder)
    wire = [event for event in passed.events if event["operation"] == operation]
    other = LabFolder(folder / "other")
    source = folder / "home-through" / transcripts
    import_log(source, other, kind=kind, org="acme")
    import_log(source, other, kind=kind, org="acme")
    told = scan(other.root).collect().to_dicts()
    return wire, told


def tallied(events: list[dict[str, Any]], names: list[str]) -> list[str]:
    """What events say, in an order that no clock has a part in."""
    return sorted(str([event[name] or 0 for name in names]) for event in events)


def test_claude_codes_transcript_has_the_calls_that_passed(agents, tmp_path):
    """With its subagent's; imported beside the proxy's log they add nothing."""
    client = claude_code(agents, CLAUDE_SUBAGENT, {"ANTHROPIC_API_KEY": ANTHROPIC_KEY})

    wire, told = both(client, tmp_path, "claude-code", ".claude/projects", "messages")

    assert len(told) == 3
    assert tallied(told, COUNTS) == tallied(wire, COUNTS)
    assert tallied(told, NAMES) == tallied(wire, NAMES)
    assert {e["provider_response_id"] for e in told} == {
        e["provider_response_id"] for e in wire
    }
    lab = LabFolder(tmp_path / "lab")
    source = tmp_path / "home-through" / ".claude" / "projects"
    before = scan(lab.root).select(pl.len()).collect().item()
    import_log(source, lab, kind="claude-code", org=wire[0]["org"])
    assert scan(lab.root).select(pl.len()).collect().item() == before


def test_codexs_transcript_has_the_calls_that_passed(agents, tmp_path):
    """With its subagent's, which is in a file of its own."""
    client = codex(agents, CODEX_SUBAGENT)

    wire, told = both(client, tmp_path, "codex", ".codex/sessions", "responses")

    assert tallied(told, COUNTS) == tallied(wire, COUNTS)
    assert tallied(told, NAMES) == tallied(wire, NAMES)


def test_a_forked_session_of_claude_codes_is_counted_from_the_fork(agents, tmp_path):
    """Its file begins with a copy of the other's answers."""
    credential = {"ANTHROPIC_API_KEY": ANTHROPIC_KEY}
    turns = [
        claude_code(agents, "say hi", credential),
        claude_code(agents, "again", credential, "--continue", "--fork-session"),
    ]

    def one_after_the_other(door: Door, home: Path) -> Start:
        starts = [turn(door, home) for turn in turns]
        words = " && ".join(shlex.join(start.command) for start in starts)
        return Start(["sh", "-c", words], starts[0].environment)

    wire, told = both(
        one_after_the_other, tmp_path, "claude-code", ".claude/projects", "messages"
    )

    assert len(told) == 2
    assert tallied(told, COUNTS) == tallied(wire, COUNTS)


def test_a_forked_subagent_of_codexs_is_counted_from_the_fork(agents, tmp_path):
    """Its file begins with what its parent had said."""
    client = codex(agents, CODEX_SUBAGENT.replace('"none"', '"all"'))

    wire, told = both(client, tmp_path, "codex", ".codex/sessions", "responses")

    assert tallied(told, COUNTS) == tallied(wire, COUNTS)
    assert tallied(told, NAMES) == tallied(wire, NAMES)

"""Codex's transcripts: each call once, however its conversation was forked.

The lines are made here, in the form of openai/codex's protocol.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.log.folder import LabFolder
from lectr_lab.log.importers import codex
from lectr_lab.log.importers.codex import codex_rows
from lectr_lab.log.importers.fields import Choices
from lectr_lab.log.importers.importing import import_log
from lectr_lab.log.scan import scan

START = datetime(2026, 11, 24, 10, tzinfo=UTC)
KEYS = "input_tokens cached_input_tokens output_tokens reasoning_output_tokens".split()


def at(second: float) -> str:
    return (START + timedelta(seconds=second)).isoformat().replace("+00:00", "Z")


def meta(id_: str, second: float = 0, **more) -> dict:
    payload = {
        "id": id_,
        "timestamp": at(second),
        "cwd": "/home/me",
        "cli_version": "0.155.0",
        "model_provider": "openai",
        **more,
    }
    return {"timestamp": at(second), "type": "session_meta", "payload": payload}


def turn(second: float, model: str = "gpt-5.3-codex") -> dict:
    payload = {"model": model, "effort": "high", "cwd": "/home/me"}
    return {"timestamp": at(second), "type": "turn_context", "payload": payload}


def calls(uses: list[tuple[int, ...]], since: float, total=(0, 0, 0, 0)) -> list[dict]:
    """One `token_count` a second; each is (input, cached, output, reasoning)."""
    lines = []
    for number, used in enumerate(uses):
        total = tuple(a + b for a, b in zip(total, used, strict=True))
        info = {
            "total_token_usage": dict(zip(KEYS, total, strict=True)),
            "last_token_usage": dict(zip(KEYS, used, strict=True)),
        }
        payload = {"type": "token_count", "info": info, "rate_limits": {}}
        when = at(since + number)
        lines.append({"timestamp": when, "type": "event_msg", "payload": payload})
    return lines


def rewritten(lines: list[dict], second: float) -> list[dict]:
    return [one | {"timestamp": at(second)} for one in lines]


def write(folder: Path, name: str, *lines: dict) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"rollout-{name}.jsonl"
    file.write_text("".join(f"{json.dumps(one)}\n" for one in lines))
    return file


def test_a_call_is_an_event(tmp_path, take):
    """With the model of its turn, and counts that hold their parts."""
    lines = [meta("c-1"), turn(1), *calls([(1000, 400, 50, 20)], 2)]
    told = take(codex_rows(write(tmp_path, "a", *lines), Choices()))

    [event] = told.events
    ours = ("event_id", "org", "kind", "source", "source_id", "started_at")
    assert {name: v for name, v in event.items() if name not in ours} == {
        "operation": "responses",
        "path": "/v1/responses",
        "provider": "openai",
        "model_requested": "gpt-5.3-codex",
        "model_actual": "gpt-5.3-codex",
        "reasoning_effort": "high",
        "input_tokens": 1000,
        "output_tokens": 50,
        "cache_read_tokens": 400,
        "reasoning_tokens": 20,
        "token_source": "provider",
        "client": "codex",
        "client_version": "0.155.0",
        "session": "c-1",
        "turn_kind": "main",
        "status": 200,
        "outcome": "ok",
    }


def test_news_of_rate_limits_are_no_calls(tmp_path, take):
    """The same counts come again, or none."""
    [call] = calls([(10, 0, 5, 0)], 1)
    empty = {"timestamp": at(3), "type": "event_msg"}
    empty["payload"] = {"type": "token_count", "info": None}
    file = write(tmp_path, "a", meta("c"), turn(0), call, call, empty)

    told = take(codex_rows(file, Choices()))

    assert len(told.events) == 1
    assert told.left == {codex.UNCHANGED: 1}


def test_totals_alone_tell_what_each_call_used(tmp_path, take):
    """Older versions; where a total begins anew, it is the call's."""
    lines = calls([(10, 0, 5, 0), (20, 4, 5, 0)], 1) + calls([(3, 0, 1, 0)], 5)
    for one in lines:
        del one["payload"]["info"]["last_token_usage"]

    told = take(codex_rows(write(tmp_path, "a", meta("c"), *lines), Choices()))

    assert [e["input_tokens"] for e in told.events] == [10, 20, 3]
    assert [e.get("cache_read_tokens") for e in told.events] == [0, 4, 0]


PARENT = [(100, 0, 10, 0), (200, 80, 10, 0), (300, 150, 10, 0)]


def total(uses):
    return tuple(map(sum, zip(*uses, strict=True)))


def imported(folder: Path, lab: LabFolder):
    return import_log(folder, lab, kind="codex", org="acme")


@pytest.mark.parametrize("new_times", [False, True])
@pytest.mark.parametrize("with_parent", [False, True])
@pytest.mark.parametrize("named", [False, True])
def test_a_fork_counts_from_where_it_was_forked(
    lab, tmp_path, new_times, with_parent, named
):
    """Whether copies have new times, the parent's file is there, or `forked_from_id` is."""
    sessions = tmp_path / "sessions"
    parent = [meta("p"), turn(1), *calls(PARENT, 2)]
    own = calls([(400, 300, 20, 0)], 70, total(PARENT))
    fork = meta("f", 60, forked_from_id="p") if named else meta("f", 60)
    copied = rewritten(parent, 60) if new_times else parent
    write(sessions, "z", *parent)
    write(sessions, "a", fork, *copied, turn(69), *own)
    write(sessions, "b", fork | {"payload": fork["payload"] | {"id": "g"}}, *copied)
    if not with_parent:
        (sessions / "rollout-z.jsonl").unlink()

    done = [imported(sessions, lab) for _ in range(2)]

    assert [(d.added, d.known) for d in done] == [(4, 0), (0, 4)]
    assert sorted(scan(lab.root).collect()["input_tokens"]) == [100, 200, 300, 400]


def test_a_fork_of_a_fork(lab, tmp_path):
    """Each with a copy of all that was before it."""
    one = [meta("p"), turn(1), *calls(PARENT[:1], 2)]
    two = calls(PARENT[1:2], 20, total(PARENT[:1]))
    three = calls(PARENT[2:], 40, total(PARENT[:2]))
    write(tmp_path / "s", "c", *one)
    middle = [meta("q", 10, forked_from_id="p"), *rewritten(one, 10), *two]
    write(tmp_path / "s", "b", *middle)
    last = [meta("r", 30, forked_from_id="q"), *rewritten(middle, 30), *three]
    write(tmp_path / "s", "a", *last)

    imported(tmp_path / "s", lab)

    assert sorted(scan(lab.root).collect()["input_tokens"]) == [100, 200, 300]


def test_a_parent_that_goes_on_with_equal_counts_is_not_the_fork(lab, tmp_path):
    """What it said after the fork cannot have been copied."""
    same = (100, 50, 10, 0)
    parent = [meta("p"), turn(1), *calls([same], 2)]
    write(tmp_path / "s", "a", *parent, *calls([same], 90, same))
    fork = [meta("f", 60, forked_from_id="p"), *rewritten(parent, 60)]
    write(tmp_path / "s", "b", *fork, *calls([same], 80, same))

    done = [imported(tmp_path / "s", lab) for _ in range(2)]

    assert [(d.added, d.known) for d in done] == [(3, 0), (0, 3)]


def test_the_parent_may_come_later(lab, tmp_path):
    """A fork that was imported alone does not count twice then."""
    parent = [meta("p"), turn(1), *calls(PARENT, 2)]
    own = calls([(400, 300, 20, 0)], 70, total(PARENT))
    fork = [meta("f", 60, forked_from_id="p"), *rewritten(parent, 60), *own]
    write(tmp_path / "s", "f", *fork)
    imported(tmp_path / "s", lab)
    write(tmp_path / "s", "p", *parent)

    done = imported(tmp_path / "s", lab)

    assert done.added == 0
    assert scan(lab.root).collect().height == 4


@given(
    uses=st.lists(
        st.tuples(*[st.integers(1, 10**6)] * 4), min_size=1, max_size=6, unique=True
    ),
    cut=st.integers(0, 6),
    forks=st.integers(1, 3),
)
@settings(max_examples=40, deadline=None)
def test_no_number_of_forks_makes_a_call_two(tmp_path_factory, uses, cut, forks):
    """The sum over all files is that of the calls that were made."""
    folder = tmp_path_factory.mktemp("s")
    parent = [meta("p"), turn(1), *calls(uses, 2)]
    write(folder, "p", *parent)
    before = uses[:cut]
    for number in range(forks):
        own = [(7 + number, 1, 3, 0)]
        start = total(before) if before else (0, 0, 0, 0)
        write(
            folder,
            f"f{number}",
            meta(f"f{number}", 100 + number, forked_from_id="p"),
            *rewritten(parent[: 2 + len(before)], 100 + number),
            *calls(own, 200, start),
        )

    items = list(codex_rows(folder, Choices()).rows)

    ids = {one.source_id: one.facts for one in items if hasattr(one, "source_id")}
    expected = sum(use[0] for use in uses) + sum(7 + n for n in range(forks))
    assert sum(facts["input_tokens"] for facts in ids.values()) == expected


def test_a_subagent_is_told(tmp_path, take):
    """One that was not forked begins with no copy."""
    spawned = {"subagent": {"thread_spawn": {"parent_thread_id": "p"}}}
    lines = [meta("s", source=spawned), turn(1), *calls([(10, 0, 5, 0)], 2)]
    told = take(codex_rows(write(tmp_path, "a", *lines), Choices()))

    [event] = told.events
    assert (event["turn_kind"], event["agent"]) == ("subagent", "s")
    assert event["parent_agent"] == "p"

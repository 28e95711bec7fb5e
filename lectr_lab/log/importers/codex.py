"""Codex's transcripts: `~/.codex/sessions/**/rollout-*.jsonl`, and archived ones.

Of each call come along counts, names, times and the session's random ids; the workspace's
path, instructions, prompts and answers do not.

Facts, from transcripts of 0.171.0, openai/codex (codex-rs/protocol), its users' issues
and ccusage's (read 2026-11-30; the format is undocumented):

- a `token_count` event follows a call: `last_token_usage` is of it, `total_token_usage`
  of the session so far. It comes again, unchanged, with news of rate limits.
- input holds the cached part, output the reasoning.
- a `turn_context` before it names the model.
- a fork, and a subagent that was forked, begins with a copy of events of its ancestor,
  with their own times or those of the copying. `session_meta` names the ancestor
  (`forked_from_id`), and the ancestor's own is copied too.

So a call is known by the conversation that the first of its forks began in, and by the
totals up to it: copies of it are one call, whether the ancestor's file is there or not.
Where it is, what cannot be a copy, because the ancestor said it after the fork, is none.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from lectr_lab.core.llm_api.lenient_json import count
from lectr_lab.log.importers.fields import Choices, Imported, Item, Left, Rows, fitted
from lectr_lab.log.importers.provider_names import provider_name
from lectr_lab.log.importers.records import within
from lectr_lab.log.importers.source import files_in, json_values

UNCHANGED = "counts that came again, with nothing new"
COPIES = "copies of calls in a fork of their conversation"
NO_JSON = "lines that are no JSON"
_COLUMNS = {
    "input_tokens": "input_tokens",
    "cached_input_tokens": "cache_read_tokens",
    "cache_write_input_tokens": "cache_write_tokens",
    "output_tokens": "output_tokens",
    "reasoning_output_tokens": "reasoning_tokens",
}
_Totals = tuple[int, ...]


class _Call(NamedTuple):
    """What two copies of a call have in common, and when it was made, if that is said."""

    totals: _Totals | None
    used: _Totals
    at: Any


class _Family:
    """How the conversations of an import come from each other, and what they said."""

    def __init__(self, files: list[Path]) -> None:
        self._ancestors: dict[str, str] = {}
        self._calls: dict[str, list[_Call]] = {}
        self._ids: set[str] = set()
        owners = {file: _note_ancestors(file, self._ancestors) for file in files}
        self._needed = set(self._ancestors.values())
        self.files = sorted(files, key=lambda file: (self._depth(owners[file]), file))

    def copied_from(self, own: str, created: Any) -> list[_Call]:
        """What a conversation may begin with copies of: what its ancestor had said."""
        before = self._calls.get(self._ancestors.get(own, ""), [])
        if created is None:
            return before
        return [call for call in before if call.at is None or call.at <= created]

    def note(self, own: str, call: _Call) -> None:
        """A call that a conversation has, its own or copied; only if a fork may ask."""
        if own in self._needed:
            self._calls.setdefault(own, []).append(call)

    def id_of(self, own: str, call: _Call, *, is_own: bool) -> str:
        """The id of a call. Of two that only look alike, the second gets one of its own."""
        root, said = self._root(own), f"{call.totals} {call.used}"
        found = _digest(root, said)
        if is_own and found in self._ids:
            found = _digest(root, said, own)
        if self._ancestors:
            self._ids.add(found)
        return found

    def knows_origin(self, own: str) -> bool:
        """Whether the file that a conversation was forked from, if any, is there."""
        origin = self._ancestors.get(own)
        return origin is None or origin in self._calls

    def _depth(self, own: str | None) -> int:
        return len(self._line(own)) if own else 0

    def _root(self, own: str) -> str:
        return self._line(own)[-1]

    def _line(self, own: str) -> list[str]:
        """A conversation, and those that it comes from, the nearest first."""
        line = [own]
        while (origin := self._ancestors.get(line[-1])) and origin not in line:
            line.append(origin)
        return line


def codex_rows(source: Path, choices: Choices) -> Rows:
    """The calls in a transcript, or in those below a folder.

    Raises:
        LogError: a file is empty, or a folder has no transcript.
        OSError: one cannot be read.
    """
    files = [file for file in files_in(source, "*.jsonl") if file.stat().st_size]
    return Rows(0, _items(_Family(files)))


def _note_ancestors(file: Path, ancestors: dict[str, str]) -> str | None:
    """From which conversation a file's was forked, and they in turn; whose file it is."""
    own: str | None = None
    for line in json_values(file).values:
        if within(line, "type") != "session_meta":
            continue
        meta = within(line, "payload")
        told, origin = _text(meta, "id"), _text(meta, "forked_from_id")
        if told is None:
            continue
        if origin and origin != told:
            ancestors.setdefault(told, origin)
        if own is None:
            own = told
        elif told != own:  # copied: of an ancestor
            ancestors.setdefault(own, told)
    return own


def _items(family: _Family) -> Iterator[Item]:
    for file in family.files:
        yield from _Transcript(file, family).items()


class _Transcript:
    """One file, read line by line."""

    def __init__(self, file: Path, family: _Family) -> None:
        self._file, self._family = file, family
        self._own = file.stem
        self._meta: dict[str, Any] = {}
        self._turn: dict[str, Any] = {}
        self._totals: _Totals | None = None
        self._copied: list[_Call] = []
        self._begun = False

    def items(self) -> Iterator[Item]:
        """Its calls, and what else there is to be said."""
        for line in json_values(self._file).values:
            kind, payload = within(line, "type"), within(line, "payload")
            if line is None:
                yield Left(NO_JSON)
            elif not isinstance(payload, dict):
                continue
            elif kind == "session_meta" and not self._meta:
                self._begin(line, payload)
            elif kind == "turn_context":
                self._turn = payload
            elif kind == "event_msg" and payload.get("type") == "token_count":
                yield from self._call(line, payload)

    def _begin(self, line: Any, meta: dict[str, Any]) -> None:
        self._meta, self._own = meta, _text(meta, "id") or self._own
        created = _time(meta) or _time(line)
        self._copied = self._family.copied_from(self._own, created)

    def _call(self, line: Any, payload: dict[str, Any]) -> Iterator[Item]:
        totals = _counts(within(payload, "info.total_token_usage"))
        last = _counts(within(payload, "info.last_token_usage"))
        if totals is None and last is None:
            return  # rate limits alone
        if totals is not None and totals == self._totals:
            yield Left(UNCHANGED)
            return
        used = last or _beyond(totals, self._totals)
        self._totals = totals
        if used is None or not any(used):
            return
        call = _Call(totals, used, _time(line))
        if (origin := self._copy_of(call)) is not None:
            self._family.note(self._own, origin)
            yield Left(COPIES)
            return
        self._family.note(self._own, call)
        is_own = self._family.knows_origin(self._own)
        own_id = self._family.id_of(self._own, call, is_own=is_own)
        yield Imported(own_id, self._facts(line, used))

    def _copy_of(self, call: _Call) -> _Call | None:
        """The ancestor's call that this is a copy of: only at the beginning, in order."""
        likeness = [(one.totals, one.used) for one in self._copied]
        said = (call.totals, call.used)
        if not self._begun:  # the copy may lack the oldest
            self._begun = True
            at = likeness.index(said) if said in likeness else len(likeness)
        else:
            at = 0 if likeness[:1] == [said] else len(likeness)
        found = self._copied[at] if at < len(self._copied) else None
        self._copied = self._copied[at + 1 :]
        return found

    def _facts(self, line: Any, used: _Totals) -> dict[str, Any]:
        meta, turn = self._meta, self._turn
        spawned = within(meta, "source.subagent") is not None or (
            meta.get("thread_source") == "subagent"
        )
        counts = dict(zip(_COLUMNS.values(), used, strict=True))
        if not counts["cache_write_tokens"]:
            del counts["cache_write_tokens"]  # older versions do not count it
        own = self._own
        parent = _text(meta, "parent_thread_id") or within(
            meta, "source.subagent.thread_spawn.parent_thread_id"
        )
        return counts | {
            "started_at": within(line, "timestamp"),
            "operation": "responses",
            "path": "/v1/responses",
            "provider": provider_name(meta.get("model_provider")) or "openai",
            "model_requested": turn.get("model"),
            "model_actual": turn.get("model"),
            "reasoning_effort": turn.get("effort"),
            "client": "codex",
            "client_version": meta.get("cli_version"),
            "session": _text(meta, "session_id") or own,
            "agent": own if spawned else None,
            "parent_agent": parent,
            "turn_kind": "subagent" if spawned else "main",
            "status": 200,
            "outcome": "ok",
        }


def _digest(*said: str) -> str:
    return hashlib.sha256("\n".join(said).encode("utf-8", "replace")).hexdigest()[:32]


def _time(of: Any) -> Any:
    return fitted("started_at", within(of, "timestamp"))


def _counts(usage: Any) -> _Totals | None:
    if not isinstance(usage, dict) or count(usage.get("input_tokens")) is None:
        return None
    return tuple(count(usage.get(name)) or 0 for name in _COLUMNS)


def _beyond(totals: _Totals | None, before: _Totals | None) -> _Totals | None:
    """What a total has more than the one before; all of it where it began anew."""
    if totals is None or before is None:
        return totals
    more = tuple(now - then for now, then in zip(totals, before, strict=True))
    return totals if any(n < 0 for n in more) else more


def _text(of: Any, name: str) -> str | None:
    found = within(of, name)
    return found if isinstance(found, str) and found else None

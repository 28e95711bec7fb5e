"""Which cassettes hold what would not be recorded today, and how to take it out.

`examine` only looks. `mend` puts marks where secrets stand, in the cassette and its side
file; whatever else is in them stays, and each file is replaced whole or not at all.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from lectr_lab.core.errors import CassetteError
from lectr_lab.core.headers import RawHeaders
from lectr_lab.tape.cassette import files_of, load, read_unlocked, recorded
from lectr_lab.tape.locked import locked
from lectr_lab.tape.replacing import Taken
from lectr_lab.tape.scrub import RecordedCall, scrubbed
from lectr_lab.tape.secret_patterns import (
    NO_MARKS,
    Marks,
    clean,
    keys_of,
    marks_for,
    with_values,
)
from lectr_lab.tape.timing_file import Timing, read_side
from lectr_lab.tape.write import replace_cassette

_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class Finding(NamedTuple):
    """What is wrong with a cassette: values to take out, by kind, or why it is unusable."""

    path: Path
    values: Mapping[str, int]
    error: str | None = None


class _Cleaned(NamedTuple):
    data: Any
    timings: tuple[Timing, ...] | None
    values: Mapping[str, int]


def examine(
    cassettes: Path | Iterable[Path], own: Marks = NO_MARKS
) -> tuple[list[Finding], int]:
    """Look at some cassettes, or folders of them; nothing is changed.

    Args:
        cassettes: files and folders.
        own: the user's patterns, from `compiled`.

    Returns:
        What is wrong, and how many files were looked at.

    Raises:
        CassetteError: there is no cassette.

    >>> from lectr_lab.resources import shipped_cassettes
    >>> examine(shipped_cassettes() / "simulated")
    ([], 4)
    """
    named = [cassettes] if isinstance(cassettes, Path) else list(cassettes)
    for path in named:
        if not path.exists():
            raise CassetteError(f"There is no cassette at {path}.")
    files = [file for path in named for file in files_of(path)]
    found = []
    for path in files:
        try:
            if values := _cleaned(path, own).values:
                found.append(Finding(path, values))
        except CassetteError as error:
            found.append(Finding(path, {}, str(error)))
    return found, len(files)


def mend(findings: Iterable[Finding], own: Marks = NO_MARKS) -> list[Finding]:
    """Take the values out, file by file.

    Args:
        findings: what `examine` found.
        own: the patterns that it was given.

    Returns:
        The findings that were dealt with.

    Raises:
        CassetteError: a file cannot be written; those before it were.
    """
    mended = []
    for finding in findings:
        if finding.error is None:
            path = finding.path.resolve()
            with locked(path, alone=True):
                cleaned = _cleaned(finding.path, own)
                replace_cassette(path, _text(path, cleaned.data), cleaned.timings)
            mended.append(finding)
    return mended


def _text(path: Path, data: Any) -> bytes:
    if path.suffix == ".json":
        return (json.dumps(data, indent=4) + "\n").encode()
    text: bytes = yaml.dump(data, Dumper=_Dumper).encode()
    return text


def _cleaned(path: Path, own: Marks) -> _Cleaned:
    """What the files would hold; `values` is empty where that is what they hold."""
    read_unlocked(path)  # or it says what is wrong
    data, side = load(path), read_side(path)
    calls = [_call(path, n, entry) for n, entry in enumerate(data["interactions"], 1)]
    timings: list[Timing | None] = [None] * len(calls)
    timings = list(side.interactions) if side else timings
    keys = {key for one in calls for key in keys_of(one.request_headers, one.url)}
    marks, taken = with_values(own, keys), Taken()
    for at, (entry, call) in enumerate(zip(data["interactions"], calls, strict=True)):
        timing = timings[at]
        if timing:
            call = msgspec.structs.replace(call, chunks=_cut(call.chunks[0], timing))
        try:
            clean_call = scrubbed(call, marks, taken)
        except CassetteError as error:
            raise CassetteError(f"interaction {at + 1}: {error}") from None
        _put(entry, call, clean_call)
        if timing:
            own_marks = marks_for(call.request_headers, call.url, marks)
            timings[at] = _timing(timing, clean_call, own_marks, taken)
    found = tuple(timing for timing in timings if timing)
    return _Cleaned(data, found if side else None, dict(taken.counts))


def _call(path: Path, number: int, entry: Any) -> RecordedCall:
    one = recorded(path, number, entry["request"], entry["response"])
    return RecordedCall(
        method=one.method,
        url=one.uri,
        request_headers=one.request_headers,
        request_body=one.request_body,
        status=one.status,
        response_headers=one.response_headers,
        chunks=(one.body,),
    )


def _cut(body: bytes, timing: Timing) -> tuple[bytes, ...]:
    chunks, start = [], 0
    for length, _ in timing.chunks:
        chunks.append(body[start : start + length])
        start += length
    return tuple(chunks)


def _put(entry: Any, before: RecordedCall, after: RecordedCall) -> None:
    """Into the entry, what is not as it was."""
    request, response = entry["request"], entry["response"]
    if after.url != before.url:
        request["uri"] = after.url
    _put_headers(request, before.request_headers, after.request_headers)
    _put_headers(response, before.response_headers, after.response_headers)
    if after.request_body != before.request_body:
        _put_body(request, "body", after.request_body)
    body = b"".join(after.chunks)
    if body != b"".join(before.chunks):
        _put_body(response, "content" if "content" in response else "body", body)


def _put_headers(side: Any, before: RawHeaders, after: RawHeaders) -> None:
    if tuple(after) == tuple(before):
        return
    was = {str(name): values for name, values in side["headers"].items()}
    values: dict[str, list[str]] = {}
    for name, value in after:
        values.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    side["headers"] = {
        name: found if len(found) > 1 or isinstance(was.get(name), list) else found[0]
        for name, found in values.items()
    }


def _put_body(side: Any, member: str, body: bytes) -> None:
    was = side[member]
    text = was["string"] if isinstance(was, dict) else was
    said = body.decode() if isinstance(text, str) else body
    if isinstance(was, dict):
        was["string"] = said
    else:
        side[member] = said
    for name, values in side["headers"].items():
        if str(name).lower() == "content-length":
            length = str(len(body))
            side["headers"][name] = [length] if isinstance(values, list) else length


def _timing(timing: Timing, call: RecordedCall, marks: Marks, taken: Taken) -> Timing:
    """Its pieces are of the body as it is now; its names may hold a key as well."""
    names = {
        name: clean(text.encode(), marks, taken).decode()
        for name in ("org", "feature", "task", "provider")
        if (text := getattr(timing, name))
    }
    lengths = map(len, call.chunks)
    times = (at_ms for _, at_ms in timing.chunks)
    return msgspec.structs.replace(
        timing,
        chunks=tuple(zip(lengths, times, strict=True)),
        decompressed=timing.decompressed or call.decompressed,
        **names,
    )

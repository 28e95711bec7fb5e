"""Writes cassettes in vcrpy's form, by its own serialiser, and their side files."""

import importlib
import os
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

from lectr_lab.core.errors import CassetteError, MissingExtra
from lectr_lab.core.headers import RawHeaders
from lectr_lab.files import write_whole
from lectr_lab.tape.repair import mended_headers
from lectr_lab.tape.scrub import RecordedCall
from lectr_lab.tape.timing_file import Side, Timing, encode_side, side_path


def write_cassette(path: Path, recorded: Sequence[tuple[RecordedCall, Timing]]) -> None:
    """Write a cassette and its side file; both are replaced, and are mode 0600.

    Args:
        path: the cassette, `*.yaml`, or `*.json` for vcrpy's JSON; its folder is made.
        recorded: scrubbed calls, each with its timing.

    Raises:
        CassetteError: a file cannot be written. What JSON cannot hold, a body that is no
            text, is in a YAML file beside it then.
    """
    calls = [call for call, _ in recorded]
    timings = tuple(timing for _, timing in recorded)
    try:
        text = _serialized(calls, as_json=path.suffix == ".json")
    except TypeError:
        instead = path.with_suffix(".yaml")
        replace_cassette(instead, _serialized(calls), timings)
        raise CassetteError(
            f"{path} cannot hold a body that is no text. All of it was written to "
            f"{instead} instead: name that one."
        ) from None
    replace_cassette(path, text, timings)


def load_serializers() -> None:
    """Load vcrpy, which is slow, before there is something to write.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        importlib.import_module("vcr.serialize")
    except ModuleNotFoundError as error:
        is_vcr = (error.name or "").startswith("vcr")
        raise MissingExtra("vcrpy" if is_vcr else error.name) from error


def replace_cassette(
    path: Path, text: bytes, timings: tuple[Timing, ...] | None
) -> None:
    """Replace a cassette, and its side file where it has one; each whole or not at all.

    Raises:
        CassetteError: a file cannot be written.
    """
    _replace(path, text)
    if timings is not None:
        _replace(side_path(path), encode_side(Side(interactions=timings)))


def _serialized(calls: Iterable[RecordedCall], *, as_json: bool = False) -> bytes:
    from vcr.request import Request  # slow to import, and nothing else needs it
    from vcr.serialize import serialize
    from vcr.serializers import jsonserializer, yamlserializer

    requests, responses = [], []
    for call in calls:
        headers = _by_name(call.request_headers)
        requests.append(Request(call.method, call.url, call.request_body, headers))
        responses.append(_response(call))
    tape = {"requests": requests, "responses": responses}
    text: str = serialize(tape, jsonserializer if as_json else yamlserializer)
    return text.encode()


def _response(call: RecordedCall) -> dict[str, Any]:
    body = b"".join(call.chunks)
    keep_length = call.cut_short or call.method == "HEAD"
    headers = mended_headers(call.response_headers, body, keep_length=keep_length)
    return {
        "status": {"code": call.status, "message": _phrase(call.status)},
        "headers": _by_name(headers),
        "body": {"string": body},
    }


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _by_name(headers: RawHeaders) -> dict[str, list[str]]:
    """vcrpy's form of headers. latin-1 has a character for every byte."""
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    return found


def _replace(path: Path, data: bytes) -> None:
    """A reader sees the old file or the new. Mode 0600."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, data, path.with_name(f".{path.name}.{os.getpid()}.aside"))
    except OSError as error:
        raise CassetteError(f"{path} cannot be written: {error.strerror}.") from None

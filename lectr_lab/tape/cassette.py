"""Reads cassettes in vcrpy's two forms, YAML and JSON, as its users really leave them.

A body is `body.string` or `body`, text or `!!binary`; files of vcrpy's old httpx stub
have `status_code` and `content` instead; a header has one value or a list of them.
`parsed_body` is JSON written anew: its bytes are lost, and replaying it would pass off
ours as the provider's, so it is refused.
"""

import contextlib
import json
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
import yaml

from lectr_lab.core.errors import CassetteError
from lectr_lab.core.headers import RawHeaders
from lectr_lab.core.registry import provider_of_host
from lectr_lab.tape.locked import locked
from lectr_lab.tape.repair import mended_headers, pieces
from lectr_lab.tape.timing_file import Ended, Timing, read_side

_LARGEST_BYTES = 256_000_000
_BEGINNING_BYTES = 4096  # of a file, to see what it is
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Chunk(NamedTuple):
    """A piece of a body, `at_ms` milliseconds after the request."""

    at_ms: float
    data: bytes


class Interaction(msgspec.Struct, frozen=True, kw_only=True):
    """One recorded request and its answer, ready to be played.

    `response_headers` are mended: without hop-by-hop ones, with the length of this
    body, without an encoding it does not have. `provider` is the one the recorded host
    belongs to, None where it could be anyone's (a local server).
    """

    file: str
    number: int  # in the file, from 1
    method: str
    uri: str
    provider: str | None
    request_headers: RawHeaders
    request_body: bytes
    status: int
    response_headers: RawHeaders
    chunks: tuple[Chunk, ...]
    head_ms: float = 0.0
    ended: Ended = "complete"
    timing: Timing | None = None  # as recorded, where there is a side file

    @property
    def body(self) -> bytes:
        """The answer's body, whole."""
        return b"".join(chunk.data for chunk in self.chunks)

    def __repr__(self) -> str:
        return f"<Interaction {self.file} #{self.number}>"  # holds content: not shown


def read_cassettes(paths: Path | str | Iterable[Path | str]) -> tuple[Interaction, ...]:
    """Every interaction of some cassettes, in order.

    Args:
        paths: cassettes, or folders of them (searched to the bottom, in order of name).

    Returns:
        The interactions of the files, one file after the other.

    Raises:
        CassetteError: a file is missing or cannot be used; names it and the reason.

    >>> import lectr_lab as lectr
    >>> first, *_ = lectr.read_cassettes(lectr.shipped_cassettes())
    >>> first.status, first.method, first.uri
    (400, 'POST', 'http://127.0.0.1:8099/v1/chat/completions')
    """
    named = [paths] if isinstance(paths, str | Path) else list(paths)
    files = [file for path in named for file in files_of(Path(path))]
    return tuple(one for file in files for one in read_cassette(file))


def read_cassette(path: Path) -> tuple[Interaction, ...]:
    """The interactions of one cassette, with the timing of its side file.

    Args:
        path: the file.

    Returns:
        One Interaction each, in recorded order. Without a side file nothing is
        delayed, and an event stream is cut after each event.

    Raises:
        CassetteError: the file is missing or cannot be used (see `load`); names it
            and the reason.
    """
    with locked(path, alone=False):  # the file and its side file are of one writing
        return read_unlocked(path)


def read_unlocked(path: Path) -> tuple[Interaction, ...]:
    """`read_cassette`, for whoever holds the lock."""
    data = load(path)
    if not isinstance(data, dict) or not isinstance(data.get("interactions"), list):
        raise CassetteError(f"{path} is not a cassette of vcrpy's: {_what_else(data)}.")
    side, entries = read_side(path), data["interactions"]
    timings = side.interactions if side else (None,) * len(entries)
    if len(timings) != len(entries):
        raise _misfit(path, f"{len(timings)} entries for {len(entries)} interactions")
    return tuple(
        _interaction(path, number, entry, timing)
        for number, (entry, timing) in enumerate(zip(entries, timings, strict=True), 1)
    )


def provider_of(uri: str) -> str | None:
    """Whose host a recorded address has; None where it is nobody's we know.

    >>> provider_of("https://api.groq.com/openai/v1/models")
    'groq'
    """
    return provider_of_host(urlsplit(uri).hostname or "")


def files_of(path: Path) -> list[Path]:
    """The cassettes of a folder to the bottom, in order of name; a file is one itself."""
    if not path.is_dir():
        return [path]
    found = sorted(p for p in path.rglob("*") if _is_cassette(p))
    if not found:
        raise CassetteError(f"There is no cassette (*.yaml, *.json) in {path}.")
    return found


def _is_cassette(path: Path) -> bool:
    """By its name; a JSON file, which may be anything, by how it begins."""
    if path.suffix != ".json" or path.name.endswith(".side.json"):
        return path.suffix in (".yaml", ".yml")
    try:
        with path.open("rb") as file:
            return b'"interactions"' in file.read(_BEGINNING_BYTES)
    except OSError:
        return False


def load(path: Path) -> Any:
    """What the YAML or JSON of a cassette says, bodies and all; nothing in it is run.

    Raises:
        CassetteError: it is missing, no regular file, over 256 MB, neither, or uses
            what a cassette does not need and a trap does: Python objects, aliases.
    """
    try:
        text = _read(path)
        if path.suffix == ".json":
            return json.loads(text)
        return _json_in(text) or _document(path, text)
    except json.JSONDecodeError as error:  # its own text would quote the file
        raise CassetteError(f"{path}, line {error.lineno}: this is not JSON.") from None
    except CassetteError:
        raise
    except FileNotFoundError:
        raise CassetteError(f"There is no cassette at {path}.") from None
    except OSError as error:
        raise CassetteError(f"{path} cannot be read: {error.strerror}.") from None
    except yaml.YAMLError as error:  # its own text would quote the file
        if "constructor for the tag" in str(getattr(error, "problem", "")):
            raise CassetteError(
                f"{path}{_line(error)}: a Python object, which is never loaded: it "
                "could run code. Record it again with vcrpy 9 or newer."
            ) from None
        raise CassetteError(f"{path}{_line(error)}: this is not YAML.") from None
    except (ValueError, RecursionError):  # not UTF-8; a date that is none; too deep
        form = "JSON" if path.suffix == ".json" else "YAML"
        raise CassetteError(f"{path} is not {form}: it has malformed text.") from None


def _read(path: Path) -> str:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise CassetteError(f"{path} is no file, so it is no cassette.")
    if status.st_size > _LARGEST_BYTES:
        raise CassetteError(
            f"{path} has {status.st_size / 1e6:.0f} MB; a cassette may have "
            f"{_LARGEST_BYTES / 1e6:.0f} at most. Record into several."
        )
    return path.read_text("utf-8-sig")


def _json_in(text: str) -> Any:
    """JSON under another name: what it escapes in pairs (😀) is no YAML."""
    if not text.lstrip().startswith("{"):
        return None
    with contextlib.suppress(ValueError):
        return json.loads(text)
    return None


def _document(path: Path, text: str) -> Any:
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        _refuse_aliases(path, root)
        return loader.construct_document(root)
    finally:
        loader.dispose()


def _refuse_aliases(path: Path, root: yaml.Node) -> None:
    """An alias is a node that is met twice; a few of them can say a billion values."""
    seen, left = {id(root)}, [root]
    while left:
        value = left.pop().value
        if isinstance(value, str):
            continue
        for node in value:
            for part in node if isinstance(node, tuple) else (node,):
                if id(part) in seen:
                    line = part.start_mark.line + 1
                    raise CassetteError(
                        f"{path}, line {line}: something is used again by a YAML "
                        "alias (`*name`), which could stand for any amount of data. "
                        "Write it out, or record again."
                    )
                seen.add(id(part))
                left.append(part)


def _line(error: Any) -> str:
    mark = getattr(error, "problem_mark", None)
    return f", line {mark.line + 1}" if mark else ""


def _what_else(data: Any) -> str:
    if isinstance(data, dict) and "http_interactions" in data:
        return "it is one of Ruby's VCR"
    if isinstance(data, list):
        return "it is a list, as vcrpy wrote them before 1.0"
    return "it has no list `interactions`"


def _misfit(path: Path, what: str) -> CassetteError:
    return CassetteError(
        f"The side file of {path} does not fit: {what}.\n"
        "Delete it to replay the cassette without its timing."
    )


def _interaction(
    path: Path, number: int, entry: Any, timing: Timing | None
) -> Interaction:
    try:
        got = recorded(path, number, entry["request"], entry["response"])
    except CassetteError as error:
        raise CassetteError(f"{path}, interaction {number}: {error}") from None
    except KeyError as error:
        raise CassetteError(f"{path}, interaction {number}: no {error}.") from None
    except (AttributeError, TypeError, ValueError):
        what = "a value is not of vcrpy's form"
        raise CassetteError(f"{path}, interaction {number}: {what}.") from None
    if timing and sum(length for length, _ in timing.chunks) != len(got.body):
        raise _misfit(path, f"the chunks of interaction {number} are not its body")
    cut_short = timing is not None and timing.ended != "complete"
    headers = mended_headers(
        got.response_headers,
        got.body,
        keep_length=cut_short or got.method == "HEAD",
    )
    return msgspec.structs.replace(
        got,
        response_headers=headers,
        chunks=_chunks(got.body, headers, timing),
        head_ms=timing.head_ms if timing else 0.0,
        ended=timing.ended if timing else "complete",
        timing=timing,
    )


def recorded(path: Path, number: int, request: Any, response: Any) -> Interaction:
    """As it stands in the file: its headers not mended, its answer in one piece."""
    if "parsed_body" in request or "parsed_body" in response:
        raise CassetteError(
            "`parsed_body` is not byte-true: it is JSON written anew, not what was sent."
        )
    old = "status_code" in response  # vcrpy's httpx stub, before version 5
    body = _bytes(response.get("content") if old else response.get("body"))
    return Interaction(
        file=str(path),
        number=number,
        method=str(request["method"]).upper(),
        uri=str(request["uri"]),
        provider=provider_of(str(request["uri"])),
        request_headers=_headers(request.get("headers")),
        request_body=_bytes(request.get("body")),
        status=int(response["status_code"] if old else response["status"]["code"]),
        response_headers=_headers(response.get("headers")),
        chunks=(Chunk(0.0, body),),
    )


def _bytes(body: Any) -> bytes:
    if isinstance(body, dict):
        body = body["string"]
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytes):
        return body
    raise TypeError  # YAML took it for a number or a date: its bytes are lost


def _headers(headers: Any) -> RawHeaders:
    return tuple(
        (_header_bytes(name), _header_bytes(value))
        for name, values in (headers or {}).items()
        for value in (values if isinstance(values, list | tuple) else [values])
    )


def _header_bytes(text: Any) -> bytes:
    """HTTP clients hand header text over as latin-1, some as UTF-8."""
    if isinstance(text, bytes):
        return text
    try:
        return str(text).encode("latin-1")
    except UnicodeEncodeError:
        return str(text).encode()


def _chunks(
    body: bytes, headers: RawHeaders, timing: Timing | None
) -> tuple[Chunk, ...]:
    if timing is None:
        return tuple(Chunk(0.0, piece) for piece in pieces(body, headers))
    chunks, start = [], 0
    for length, at_ms in timing.chunks:
        chunks.append(Chunk(at_ms, body[start : start + length]))
        start += length
    return tuple(chunks)

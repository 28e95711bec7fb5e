"""Takes keys, cookies and account names out of a recorded call, before any disk.

What is known for a secret is replaced, and where it cannot be, the call is refused, not
written. A secret of a form that is not public, in a place that is not known, stays: in a
prompt, or in a header or a field of somebody's own. What is done, in this order:

1. Headers that exist to carry a secret or to name an account are dropped.
2. Replaced are: what stands under a secret's name, in JSON, forms and URLs; the key of
   the call itself, wherever else it stands, as it is or escaped; texts of the forms
   that vendors give their keys; what the user's own patterns match.
3. A compressed body is looked into. If nothing had to be replaced it is kept, byte for
   byte; otherwise it is stored plain.
4. The result is read once more, as JSON too (`\\u0073k-…`, an answer that spells a key
   over several events of a stream): if it is not clean now, the call is refused.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from lectr_lab.core.errors import CassetteError
from lectr_lab.core.headers import RawHeaders
from lectr_lab.core.llm_api.content_encoding import BodyDecoder
from lectr_lab.tape.repair import is_encoded
from lectr_lab.tape.secret_names import is_dropped_header
from lectr_lab.tape.secret_patterns import (
    Marks,
    clean,
    clean_chunks,
    clean_url,
    is_clean,
    marks_for,
)


class RecordedCall(msgspec.Struct, frozen=True, kw_only=True):
    """A request and its answer as they passed. Holds keys and content: never shown."""

    method: str
    url: str
    request_headers: RawHeaders
    request_body: bytes
    status: int
    response_headers: RawHeaders
    chunks: tuple[bytes, ...]
    cut_short: bool = False  # the answer's end did not come
    decompressed: bool = False

    def __repr__(self) -> str:
        return f"<RecordedCall {self.method}, status {self.status}>"


def scrubbed(call: RecordedCall, own: Marks = ()) -> RecordedCall:
    """The call as it may be written to disk.

    Args:
        call: a request and its answer, as they passed.
        own: the user's patterns, from `compiled`.

    Returns:
        The same with every secret replaced. It has as many chunks, each holding what
        is left of its text.

    Raises:
        CassetteError: something secret may be left; says what kind of thing, not what.
    """
    marks = marks_for(call.request_headers, call.url, own)
    sent, sent_headers, _ = _clean_body(
        (call.request_body,), call.request_headers, marks
    )
    chunks, headers, decompressed = _clean_body(
        call.chunks, call.response_headers, marks
    )
    result = RecordedCall(
        method=call.method,
        url=clean_url(call.url, marks),
        request_headers=_clean_headers(sent_headers, marks),
        request_body=sent[0],
        status=call.status,
        response_headers=_clean_headers(headers, marks),
        chunks=chunks,
        cut_short=call.cut_short,
        decompressed=decompressed,
    )
    _check(result, marks)
    return result


def _clean_headers(headers: RawHeaders, marks: Marks) -> RawHeaders:
    return tuple(
        (clean(name, marks), clean(value, marks))
        for name, value in headers
        if not is_dropped_header(name)
    )


def _clean_body(
    chunks: tuple[bytes, ...], headers: RawHeaders, marks: Marks
) -> tuple[tuple[bytes, ...], RawHeaders, bool]:
    """A body's chunks, its headers, and whether it had to be decompressed for good."""
    encoding, body = _encoding(headers), b"".join(chunks)
    if not (encoding and body and is_encoded(encoding, body)):
        return clean_chunks(chunks, marks), headers, False
    plain = _unpacked(chunks, encoding)
    cleaned = clean_chunks(plain, marks)
    _check_text(b"".join(cleaned), marks)
    if cleaned == plain:
        return chunks, headers, False
    others = [(n, v) for n, v in headers if n.lower() != b"content-encoding"]
    return cleaned, tuple(others), True


def _unpacked(chunks: Sequence[bytes], encoding: bytes) -> tuple[bytes, ...]:
    decoder = BodyDecoder(encoding.decode("latin-1"))
    plain = tuple(decoder.feed(chunk) for chunk in chunks)
    if decoder.gave_up:
        raise CassetteError("a compressed body cannot be looked into")
    return plain


def _encoding(headers: RawHeaders) -> bytes:
    values = [v.strip() for n, v in headers if n.lower() == b"content-encoding"]
    named = b",".join(values)
    return b"" if named.lower() == b"identity" else named


def _check(call: RecordedCall, marks: Marks) -> None:
    """Refuse what a second reading would still change."""
    heads = [call.url.encode()]
    for name, value in (*call.request_headers, *call.response_headers):
        heads += [name, value]
    if not all(is_clean(text, marks) for text in heads):
        raise CassetteError("a header or the URL may still hold a secret")
    _check_text(call.request_body, marks)
    _check_text(b"".join(call.chunks), marks)


def _check_text(body: bytes, marks: Marks) -> None:
    if not all(is_clean(text, marks) for text in {body, *_texts(body)}):
        raise CassetteError("a body may still hold a secret, escaped or in pieces")


def _texts(body: bytes) -> list[bytes]:
    """The strings of a JSON body; of a stream, each field's pieces put together."""
    joined: dict[tuple[str | int, ...], list[str]] = defaultdict(list)
    for document in _documents(body):
        for path, text in _strings(document, ()):
            joined[path].append(text)
    return ["".join(texts).encode() for texts in joined.values()]


def _documents(body: bytes) -> Iterator[Any]:
    candidates = [body]
    if not body.lstrip().startswith((b"{", b"[")):
        lines = body.splitlines()
        candidates = [line[5:] for line in lines if line.startswith(b"data:")]
    for candidate in candidates:
        try:
            yield msgspec.json.decode(candidate)
        except msgspec.DecodeError:
            continue  # not JSON: there is nothing but its bytes


def _strings(
    value: Any, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield (*path, name, "name"), name
            yield from _strings(member, (*path, name))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _strings(member, (*path, index))

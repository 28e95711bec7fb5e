"""Takes keys, cookies and account names out of a recorded call, before any disk.

What is not known to be harmless goes, and what cannot be mended is refused, not written.
What is done, in this order:

1. Of the headers, those that exist to carry a secret or to name an account are dropped.
   Those on the list in harmless_headers.toml keep their values; all others keep their
   names alone.
2. Replaced in bodies, URLs and headers are: what stands under a secret's name, in JSON at
   any depth, in forms, URLs and text; the keys of the call and whatever it calls a
   secret, wherever else that stands; texts of the forms that vendors give their keys;
   what the user's own patterns match; and, in bodies and URLs, what only looks like a
   secret. JSON is read as it says: escaped, in strings within strings, and spelt over
   the events of a stream. Members in known_values.toml are left alone.
3. A compressed body is looked into. If nothing had to be replaced it is kept, byte for
   byte; otherwise it is stored plain.
4. What was changed is read once more: if it is not clean now, the call is refused.

A heuristic stays one. Not known, so left: a secret of letters alone, of digits alone or
in hexadecimal, or one of fewer than 20 characters or more than 200, where no name stands
before it; one inside media, in base64, or under the name of an id; the tokens of
logprobs, which spell an answer once more.
"""

from collections.abc import Sequence

import msgspec

from lectr_lab.core.errors import CassetteError
from lectr_lab.core.headers import RawHeaders
from lectr_lab.core.llm_api.content_encoding import BodyDecoder
from lectr_lab.tape.harmless_headers import is_harmless_header
from lectr_lab.tape.repair import is_encoded
from lectr_lab.tape.replacing import MARK, Taken
from lectr_lab.tape.secret_names import is_dropped_header
from lectr_lab.tape.secret_patterns import (
    NO_MARKS,
    Marks,
    clean,
    clean_chunks,
    clean_url,
    clean_value,
    is_clean,
    is_mask,
    marks_for,
    with_values,
)

_MOST_VALUES = 256  # that are called a secret, and are looked for elsewhere
_DROPPED = "of headers with keys, cookies or account names"
_WITHHELD = "of headers that are not known to be harmless"


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


def scrubbed(
    call: RecordedCall, own: Marks = NO_MARKS, taken: Taken | None = None
) -> RecordedCall:
    """The call as it may be written to disk.

    Args:
        call: a request and its answer, as they passed.
        own: the user's patterns, from `compiled`, and values of other calls.
        taken: what is replaced is counted in it.

    Returns:
        The same with every secret replaced. It has as many chunks, each holding what
        is left of its text.

    Raises:
        CassetteError: something secret may be left; says what kind of thing, not what.
    """
    taken = Taken() if taken is None else taken
    headers = [*call.request_headers, *call.response_headers]
    marks = marks_for(headers, call.url, own)
    once = _scrubbed(call, marks, taken)
    more = with_values(marks, sorted(taken.values)[:_MOST_VALUES])
    return once if more is marks else _scrubbed(once, more, taken)


def _scrubbed(call: RecordedCall, marks: Marks, taken: Taken) -> RecordedCall:
    sent, sent_headers, _ = _clean_body(
        (call.request_body,), call.request_headers, marks, taken
    )
    chunks, headers, decompressed = _clean_body(
        call.chunks, call.response_headers, marks, taken
    )
    return RecordedCall(
        method=call.method,
        url=_clean_url(call.url, marks, taken),
        request_headers=_clean_headers(sent_headers, marks, taken),
        request_body=sent[0],
        status=call.status,
        response_headers=_clean_headers(headers, marks, taken),
        chunks=chunks,
        cut_short=call.cut_short,
        decompressed=call.decompressed or decompressed,
    )


def _clean_url(url: str, marks: Marks, taken: Taken) -> str:
    cleaned = clean_url(url, marks, taken)
    if cleaned != url and clean_url(cleaned, marks) != cleaned:
        raise CassetteError("the URL may still hold a secret")
    return cleaned


def _clean_headers(
    headers: RawHeaders, marks: Marks, taken: Taken
) -> tuple[tuple[bytes, bytes], ...]:
    kept = []
    for name, value in headers:
        if is_dropped_header(name):
            taken.count(_DROPPED, not is_mask(value))
            continue
        if is_harmless_header(name):
            kept.append((clean(name, marks), clean_value(value, marks, taken)))
            continue
        taken.count(_WITHHELD, not is_mask(value))
        kept.append((clean(name, marks), MARK))
    if any(clean_value(value, marks) != value for _, value in kept):
        raise CassetteError("a header may still hold a secret")
    return tuple(kept)


def _clean_body(
    chunks: tuple[bytes, ...], headers: RawHeaders, marks: Marks, taken: Taken
) -> tuple[tuple[bytes, ...], RawHeaders, bool]:
    """A body's chunks, its headers, and whether it had to be decompressed for good."""
    plain = _plain(chunks, headers)
    cleaned = clean_chunks(plain, marks, taken)
    if cleaned == plain:
        if plain is not chunks and not is_clean(b"".join(chunks), marks):
            raise CassetteError("a compressed body may hold a secret behind its end")
        return chunks, headers, False
    if not is_clean(b"".join(cleaned), marks):
        raise CassetteError("a body may still hold a secret")
    if plain is chunks:
        return cleaned, headers, False
    others = [(n, v) for n, v in headers if n.lower() != b"content-encoding"]
    return cleaned, tuple(others), True


def _plain(chunks: tuple[bytes, ...], headers: RawHeaders) -> tuple[bytes, ...]:
    """The chunks unpacked, where they are compressed."""
    encoding, body = _encoding(headers), b"".join(chunks)
    if encoding and body and is_encoded(encoding, body):
        return _unpacked(chunks, encoding)
    return chunks


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

"""No key reaches the disk, wherever it stood."""

import gzip
import json
import zlib
from itertools import pairwise

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.errors import CassetteError
from lectr_lab.tape.replacing import Taken
from lectr_lab.tape.scrub import RecordedCall, scrubbed
from lectr_lab.tape.secret_patterns import compiled

CHAT = "https://api.openai.com/v1/chat/completions"
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
KEYS = st.text(LETTERS + "-_", min_size=8, max_size=40).filter(
    lambda key: not any(key in word for word in ("redacted", "content-encoding"))
)
FORMS = st.builds(
    "{}{}".format,
    st.sampled_from(["sk-", "sk-ant-api03-", "gsk_", "AIza", "lc_key_"]),
    st.text(LETTERS, min_size=24, max_size=40),
)
TYPE = (b"content-type", b"application/json")


def call(**fields):
    """A call with some of its fields given."""
    return RecordedCall(
        **{
            "method": "POST",
            "url": CHAT,
            "request_headers": (),
            "request_body": b"{}",
            "status": 200,
            "response_headers": (),
            "chunks": (),
        }
        | fields
    )


def said(key):
    return json.dumps({"messages": [{"content": f"my key is {key}."}]}).encode()


def streamed(key):
    deltas = [{"choices": [{"delta": {"content": part}}]} for part in ("a", key, "b")]
    return b"".join(b"data: %s\n\n" % json.dumps(delta).encode() for delta in deltas)


def cut(body, size):
    edges = [*range(0, len(body), size), len(body)]
    return tuple(body[a:b] for a, b in pairwise(edges))


PLACES = {
    "request header": lambda key: call(
        request_headers=[(b"authorization", b"Bearer " + key), (b"x-note", key)]
    ),
    "cookie": lambda key: call(request_headers=[(b"Cookie", key)]),
    "url": lambda key: call(url=f"{CHAT}?key={key.decode()}&b=1"),
    "request": lambda key: call(request_body=said(key.decode())),
    "upload": lambda key: call(request_body=b"--x\r\n\xff\r\n" + key + b"\r\n--x--"),
    "response header": lambda key: call(response_headers=[(b"x-echo", key)]),
    "response": lambda key: call(chunks=cut(said(key.decode()), 7)),
    "stream": lambda key: call(chunks=cut(streamed(key.decode()), 5)),
    "zipped": lambda key: call(
        response_headers=[(b"content-encoding", b"gzip"), TYPE],
        chunks=cut(gzip.compress(said(key.decode())), 9),
    ),
    "deflated": lambda key: call(
        response_headers=[(b"Content-Encoding", b"deflate")],
        chunks=(zlib.compress(said(key.decode())),),
    ),
    "brotli": lambda key: call(
        response_headers=[(b"content-encoding", b"br")],
        chunks=cut(brotli.compress(said(key.decode())), 11),
    ),
    "two members": lambda key: call(
        response_headers=[(b"content-encoding", b"gzip")],
        chunks=(gzip.compress(b"{}") + gzip.compress(key),),
    ),
    "behind the end": lambda key: call(
        response_headers=[(b"content-encoding", b"gzip")],
        chunks=(gzip.compress(b"{}") + key,),
    ),
    "zipped request": lambda key: call(
        request_headers=[(b"content-encoding", b"gzip")],
        request_body=gzip.compress(said(key.decode())),
    ),
    "escaped": lambda key: call(chunks=(b'{"a":"%s"}' % escaped(key),)),
    "spelt over a stream": lambda key: call(
        chunks=(
            b"".join(streamed(p) for p in (key.decode()[:4], key.decode()[4:]))
            .replace(b'"b"', b'""')
            .replace(b'"a"', b'""'),
        )
    ),
}


def escaped(key):
    return b"".join(b"\\u%04x" % byte for byte in key)


def everything(one):
    """All that would be written, plain and as JSON reads it."""
    yield one.url.encode()
    for headers, body in (
        (one.request_headers, one.request_body),
        (one.response_headers, b"".join(one.chunks)),
    ):
        yield from (part for header in headers for part in header)
        yield body
        encoding = dict(headers).get(b"content-encoding")
        if encoding == b"gzip":
            body = gzip.decompress(body)
        yield body
        texts = [parsed(line.removeprefix(b"data:")) for line in body.splitlines()]
        yield json.dumps(texts).encode()
        deltas = [t["choices"][0]["delta"] for t in texts if "choices" in t]
        yield "".join(delta["content"] for delta in deltas).encode()


def parsed(text):
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    return document if isinstance(document, dict) else {}


def leaked(one, key):
    """It was written with the key in it; refusing it is right as well."""
    try:
        written = scrubbed(one)
    except CassetteError as error:
        assert key.decode() not in str(error)
        return False
    return any(key in part for part in everything(written))


@pytest.mark.parametrize("place", PLACES)
@given(key=FORMS)
def test_a_key_of_a_known_form_is_never_written(place, key):
    """Wherever it stands."""
    assert not leaked(PLACES[place](key.encode()), key.encode())


@pytest.mark.parametrize("place", PLACES)
@given(key=KEYS)
def test_a_calls_own_key_is_never_written(place, key):
    """Whatever its form."""
    one = PLACES[place](key.encode())
    own = (b"authorization", b"Bearer " + key.encode())
    headers = [own, *(h for h in one.request_headers if h[0] != b"authorization")]
    one = call(
        url=one.url,
        request_headers=headers,
        request_body=one.request_body,
        response_headers=one.response_headers,
        chunks=one.chunks,
    )

    assert not leaked(one, key.encode())


REFUSED = {"behind the end"}


@pytest.mark.parametrize("place", sorted(PLACES.keys() - REFUSED))
def test_most_places_are_mended_not_refused(place):
    """The call is written, with a mark in the key's place or without its header."""
    got = scrubbed(PLACES[place](b"sk-abcdefgh12345678"))

    assert place == "cookie" or any(b"[redacted]" in part for part in everything(got))


@pytest.mark.parametrize("place", sorted(REFUSED))
def test_what_cannot_be_mended_is_refused(place):
    """It fails closed."""
    key = b"sk-abcdefgh12345678"
    one = PLACES[place](key)

    with pytest.raises(CassetteError) as error:
        scrubbed(one)

    assert "abcdefgh" not in f"{error.value}{one!r}"


def test_headers_that_name_an_account_are_dropped():
    """On both sides, in any case; the others stay in their order."""
    dropped = "OpenAI-Organization OpenAI-Project X-Lectr-Key x-api-key Cookie".split()
    also = "Set-Cookie anthropic-organization-id cf-connecting-ip".split()
    headers = [(name.encode(), b"v") for name in ("Accept", *dropped, *also, "Vary")]

    got = scrubbed(call(request_headers=headers, response_headers=headers))

    assert got.request_headers == ((b"Accept", b"v"), (b"Vary", b"v"))
    assert got.response_headers == ((b"Accept", b"v"), (b"Vary", b"v"))


def test_a_compressed_body_without_a_secret_keeps_its_bytes():
    """It is looked into, and left alone."""
    chunks = cut(gzip.compress(said("nothing")), 9)
    headers = ((b"Content-Encoding", b"gzip"),)

    got = scrubbed(call(response_headers=headers, chunks=chunks))

    assert (got.chunks, got.response_headers) == (chunks, headers)
    assert not got.decompressed


def test_a_compressed_body_with_a_secret_is_stored_plain():
    """In as many chunks, without the encoding, and says so."""
    chunks = cut(gzip.compress(said("sk-abcdefgh12345678")), 9)
    headers = ((b"Content-Encoding", b"gzip"), TYPE)

    got = scrubbed(call(response_headers=headers, chunks=chunks))

    assert b"".join(got.chunks) == said("[redacted]")
    assert len(got.chunks) == len(chunks)
    assert got.response_headers == (TYPE,)
    assert got.decompressed


def test_a_users_patterns_are_applied_everywhere():
    """To headers, URL, both bodies."""
    one = call(
        url=f"{CHAT}?for=acme",
        request_headers=[(b"x-a", b"acme")],
        request_body=said("acme"),
        response_headers=[(b"x-b", b"acme")],
        chunks=(b"ac", b"me"),
    )

    got = scrubbed(one, compiled(["ac.e"]))

    assert not any(b"acme" in part for part in everything(got))


@given(body=st.binary(), headers=st.lists(st.tuples(st.binary(), st.binary())))
def test_scrubbing_what_is_scrubbed_changes_nothing(body, headers):
    """Whatever the bytes; most of the time it changes nothing at all."""
    named = [(b"x-" + name, value) for name, value in headers]
    one = call(request_body=body, response_headers=named, chunks=(body,))
    once = scrubbed(one)

    assert scrubbed(once) == once
    assert once.chunks == (body,)


def test_headers_of_gateways_and_clouds_are_dropped():
    """Of the reply as well; what they held is looked for in the bodies."""
    key = b"hush-0123456789"
    one = call(
        request_headers=[(b"x-litellm-api-key", key), (b"accept", b"*/*")],
        response_headers=[(b"refresh-token", b"r"), (b"vary", b"accept")],
        chunks=(b'{"error":"not hush-01', b'23456789"}'),
    )

    got = scrubbed(one)

    assert got.request_headers == ((b"accept", b"*/*"),)
    assert got.response_headers == ((b"vary", b"accept"),)
    assert got.chunks == (b'{"error":"not [redacted]', b'"}')


def test_a_header_that_is_not_known_keeps_its_name_alone():
    """Whatever it holds, of a request and a reply; what SDKs read stays, on both."""
    known = (
        "Retry-After x-should-retry CF-RAY request-id anthropic-version openai-model"
    )
    kept = [(name.encode(), b"v") for name in known.split()]
    other = [(b"X-Portkey-Config", b'{"api_key":"hush"}'), (b"x-tenant", b"acme")]
    taken = Taken()

    one = call(request_headers=kept + other, response_headers=other + kept)
    got = scrubbed(one, taken=taken)

    withheld = [(name, b"[redacted]") for name, _ in other]
    assert got.request_headers == (*kept, *withheld)
    assert got.response_headers == (*withheld, *kept)
    assert dict(taken.counts) == {"of headers that are not known to be harmless": 4}


def test_a_header_that_stays_is_read_as_well():
    """It may lead somewhere."""
    link = b"https://x.test/f?X-Goog-Signature=hush&a=1"

    got = scrubbed(call(response_headers=[(b"location", link)]))

    assert got.response_headers == (
        (b"location", link.replace(b"hush", b"[redacted]")),
    )


def test_a_secret_spelt_by_a_stream_of_arguments_is_mended():
    """The pieces of a tool call are JSON only when they are put together."""
    pieces = ['{"acc', "ount_pass", 'word": "hush', '-0123"}']
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
    stream = b"".join(
        b"data: %s\n\n" % json.dumps({"delta": d}).encode() for d in deltas
    )

    got = scrubbed(call(chunks=cut(stream, 30)))

    events = [line[6:] for line in b"".join(got.chunks).split(b"\n\n") if line]
    said = "".join(json.loads(event)["delta"]["partial_json"] for event in events)
    assert said == '{"account_password": "[redacted]"}'
    assert len(events) == len(pieces)


def test_what_is_called_a_secret_is_one_everywhere():
    """A password in the request's tool is taken out of the reply's prose as well."""
    one = call(
        request_body=b'{"tools":[{"password":"hush-0123456789"}]}',
        chunks=(b'{"error":"hush-0123456789 is wrong"}',),
    )

    got = scrubbed(one)

    assert got.request_body == b'{"tools":[{"password":"[redacted]"}]}'
    assert got.chunks == (b'{"error":"[redacted] is wrong"}',)


def test_logprobs_keep_their_tokens():
    """Whole and streamed, long ones as well."""
    piece = {"token": " strawberry", "logprob": -0.1, "bytes": [32], "top_logprobs": []}
    piece["top_logprobs"] = [{k: piece[k] for k in ("token", "logprob", "bytes")}]
    choice = {"delta": {"content": " strawberry"}, "logprobs": {"content": [piece] * 2}}
    event = b"data: %s\n\n" % json.dumps({"choices": [choice]}).encode()
    one = call(chunks=(event, event, b"data: [DONE]\n\n"))

    assert scrubbed(one) == one

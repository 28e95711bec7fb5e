"""What is secret, and what stands in its place."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.errors import CassetteError
from lectr_lab.tape.secret_forms import forms
from lectr_lab.tape.secret_patterns import (
    clean,
    clean_chunks,
    clean_url,
    compiled,
    is_clean,
    marks_for,
)

KNOWN = marks_for((), "")
REDACTED = b"[redacted]"


@pytest.mark.parametrize(
    "secret",
    [
        b"sk-proj-abcdefgh12345678",
        b"sk-ant-api03-abcdefgh_12345678",
        b"sk-abc12**********************5678",
        b"gsk_abcdefgh12345678",
        b"AIzaSyA-abcdefgh_1234567890",
        b"lc_key_abc",
        b"org-abcdefgh12345678",
        b"proj_abcdefgh12345678",
        b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-DEF_123",
    ],
)
@pytest.mark.parametrize("before", [b"", b'"', b"\\n", b"\\u0022", b"%22", b"key="])
def test_keys_are_known_by_their_form(secret, before):
    """Whatever stands before them, escapes included."""
    assert clean(before + secret + b'"', KNOWN) == before + REDACTED + b'"'


@pytest.mark.parametrize(
    "harmless", [b"task-oriented dialogue", b"sk-learn", b"organisation-wide", b"eyJ."]
)
def test_words_are_left_alone(harmless):
    """What merely looks a little like a key stays."""
    assert clean(harmless, KNOWN) == harmless


@pytest.mark.parametrize(
    "header", [b"Authorization", b"X-Api-Key", b"api-key", b"x-goog-api-key"]
)
def test_a_calls_own_key_is_known_by_value(header):
    """In any header that carries one, also as a URL or JSON spells it."""
    scheme = b"Bearer " if header == b"Authorization" else b""
    marks = marks_for([(header, scheme + b"abc/def+012")], "")

    for spelt in (b"abc/def+012", b"abc%2Fdef%2B012", b"abc\\/def+012"):
        assert clean(b"x" + spelt + b"y", marks) == b"x" + REDACTED + b"y"


def test_a_key_that_is_no_secret_is_not_looked_for():
    """A local server's `none` stands in many texts."""
    marks = marks_for([(b"authorization", b"Bearer none")], "")

    assert clean(b"none of them", marks) == b"none of them"


def test_a_key_in_the_query_is_secret_everywhere():
    """Google's `?key=` is taken out of the URL, and known by value elsewhere."""
    url = "https://x/v1/models?alt=sse&key=abcdefgh&b=1"
    marks = marks_for((), url)

    assert clean_url(url, marks) == "https://x/v1/models?alt=sse&key=[redacted]&b=1"
    assert clean(b"not abcdefgh", marks) == b"not " + REDACTED


@given(
    parts=st.lists(st.sampled_from([b"secret77", b"a", b"bc", b""])),
    cuts=st.lists(st.integers(0, 60)),
)
def test_cutting_does_not_hide_a_secret(parts, cuts):
    """Chunks are cleaned as one text; there are as many, and they join to it."""
    body = b"".join(parts)
    edges = sorted({0, len(body), *(c for c in cuts if c < len(body))})
    chunks = [body[a:b] for a, b in pairwise(edges)]
    marks = compiled(["secret[0-9]+"])

    cleaned = clean_chunks(chunks, marks)

    assert len(cleaned) == len(chunks)
    assert b"".join(cleaned) == body.replace(b"secret77", REDACTED)


@given(before=st.integers(0, 20), after=st.integers(0, 20))
def test_what_no_secret_touches_stays_in_its_chunk(before, after):
    """Only the chunks around a secret change."""
    chunks = [b"a" * before, b"sec", b"ret1", b"z" * after]

    cleaned = clean_chunks(chunks, compiled(["secret1"]))

    assert cleaned == (b"a" * before, REDACTED, b"", b"z" * after)


def test_a_pattern_that_is_none_is_an_error():
    """It is named by number: the pattern itself may be the secret."""
    with pytest.raises(CassetteError, match="pattern 2 is not") as error:
        compiled(["fine", "not(fine"])

    assert "not(fine" not in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "https://a.blob.core.windows.net/c/f?sv=2024&se=2026&sig=<>&sp=r",
        "https://b.s3.amazonaws.com/f?X-Amz-Date=1&X-Amz-Signature=<>",
        "https://b.s3.amazonaws.com/f?X-Amz-Credential=<>&X-Amz-Expires=60",
        "https://b.s3.amazonaws.com/f?X-Amz-Security-Token=<>",
        "https://storage.googleapis.com/b/f?X-Goog-Signature=<>",
        "https://cdn.test/f?Expires=1&Signature=<>&Key-Pair-Id=K",
        "https://x.test/mcp?code=<>&clientId=default",
        "https://x.test/?a=1&amp;access_token=<>&amp;b=2",
        "https://x.test/?a=1\\u0026token=<>\\u0026b=2",
        "https://x.test/?next=https://y.test/f?sig=<>",
        "https://x.test/?next=https%3A%2F%2Fy.test%2Ff%3Fa%3D1%26sig%3D<>%26b%3D2",
        "postgres://user:<>@db.test:5432/app",
        "redis://:<>@cache.test",
        "https:\\/\\/user:<>@host.test",
        "see [the file](https://x.test/f?sig=<>), then",
        "curl -H 'Authorization: Bearer <>' https://x.test",
        "curl -H 'Authorization: Basic <>' https://x.test",
        'our settings are {"api_key": "<>", "n": 1}, so',
        'he said \\"{\\\\"password\\\\": \\\\"<>\\\\"}\\", so',
    ],
)
def test_secrets_in_a_text_are_known_by_what_stands_before_them(text):
    """Signed URLs, passwords in URLs, headers and JSON that somebody quotes."""
    before, after = text.split("<>")
    secret = "hush-0123456789-%2F+abc"

    got = clean(f"a: {before}{secret}{after}".encode(), KNOWN).decode()

    assert got == f"a: {before}[redacted]{after}"


@pytest.mark.parametrize(
    "text",
    [
        "https://x.test/?sig={signature}&token=<yours>&key=en&code=200",
        "https://x.test/?page_token=abc&max_tokens=5&tokens=7",
        "postgres://user:${PASSWORD}@db.test and git@host.test:a/b",
        "http://127.0.0.1:8080/a@b and 12:30@noon",
        "a bearer authentication-scheme-of-ours; basic gpt-4o-mini-2024-07-18",
        "is it true? token=abc & sig = 5",
        '{"max_tokens": 5, "token": "Hello", "logprob": -0.1}',
    ],
)
def test_placeholders_and_prose_are_left_alone(text):
    """And so is what has no value."""
    assert is_clean(text.encode(), KNOWN)


def test_a_form_is_cleaned_by_its_names():
    """One in a line, and one in parts with uploads."""
    line = b"client_secret=hush&grant_type=refresh_token&refresh_token=hush2"
    parts = (
        b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="password"\r\n'
        b"Content-Type: text/plain\r\n\r\nhello\r\n--b--"
    )

    assert clean(line, KNOWN) == (
        b"client_secret=[redacted]&grant_type=refresh_token&refresh_token=[redacted]"
    )
    for name in (b"api_key", b"token"):
        got = clean(parts % (name, b"hush"), KNOWN)
        assert got == parts % (name, REDACTED)
    assert is_clean(parts % (b"model", b"hush"), KNOWN)


def test_a_value_goes_whole():
    """Where a part of it has a form of its own, too."""
    text = b'{"authorization": "Bearer sk-0123456789abcdef.more"}'

    assert clean(text, KNOWN) == b'{"authorization": "[redacted]"}'
    assert clean(b"?sig=sk-0123456789%2Fmore", KNOWN) == b"?sig=[redacted]"


def test_a_gateways_key_is_known_by_value():
    """Like the provider's: it is looked for wherever it stands."""
    marks = marks_for([(b"Ocp-Apim-Subscription-Key", b"hush0123")], "https://x/")

    assert clean(b"no such key: hush0123", marks) == b"no such key: " + REDACTED


UNITS = [
    "a", '"', '\\"', "\\", "{", "}", '{"', '"{', '"a":"', '"api_key":"', '{"headers":',
    '{"headers":{"a":"b"', '"[\\"', '\\"api_key\\": \\"', '"api_key":\\\\\\"a\\\\',
    "?sig=", "&sig=a", "%3Fsig%3Da", "?a%3D", "://", "://a:", "://a:b@", "data: {", "data: {\n", " ", "\n",
    '; name="token"\r\n\r\n', '; name="token"\r\na:b\r\n', "\\u0022", "%22",
    "eyJaaaaaaaa.", "-eyJaaaaaaaa.", "[redacted]", "sk-aaaaaaaa ", "Bearer ", "Version: a",
    "-----BEGIN " + "PRIVATE KEY-----", "-----BEGIN " + "PRIVATE KEY-----" + "A" * 16,
    *(start for form in forms() for start in form.starts),
    *("-" + start for form in forms() for start in form.starts),
]  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_the_cost_is_linear_in_the_length(unit):
    """200 KB of anything take no more than some microseconds a byte."""
    text = (unit * (200_000 // len(unit))).encode()
    chunks = [text[at : at + 50] for at in range(0, len(text), 50)]
    marks = marks_for([(b"authorization", b"Bearer 0123456789")], "")

    began_s = time.process_time()
    cleaned = clean_chunks(chunks, marks)
    took_s = time.process_time() - began_s

    assert took_s < 3  # what is not linear takes minutes
    assert len(cleaned) == len(chunks)
    assert is_clean(b"".join(cleaned), marks)

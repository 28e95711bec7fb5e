"""What is secret, and what stands in its place."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.errors import CassetteError
from lectr_lab.tape.marks import clean, clean_chunks, clean_url, compiled, marks_for

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

"""What a body says, of whatever kind it is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.tape.bodies import texts_in


def said(body):
    return [text.view.data for text in texts_in(body)]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"a": "long enough"}', b"long enough"),
        (b'[["long enough"]]', b"long enough"),
        (b'{"long enough": 1}', b"long enough"),
        (b'{"a": "long en\\u006fugh"}', b"long enough"),
        (b'{"a": "{\\"b\\": \\"long enough\\"}"}', b"long enough"),
        (b"a=long+enough", b"a=long+enough"),
        (b'{{ jinja }} "x" long enough', b'{{ jinja }} "x" long enough'),
        (b'{"a": "it breaks off here', b"it breaks off here"),
        (b'data: {"d": "long "}\n\ndata: {"d": "enough"}\n\n', b"long enough"),
        (b'{"d": "long "}\n{"d": "enough"}\n', b'"long "'),
        (b"event: long enough\ndata: [DONE]\n", b"event: long enough"),
        (b"\xff\xfe\x00 long enough", b"long enough"),
    ],
)
def test_every_text_is_found(body, text):
    """Of JSON by its strings, of a stream put together, of the rest as it stands."""
    assert any(text in one for one in said(body))


def test_who_speaks_in_between_does_not_matter():
    """Each choice, and each block, is put together by itself."""
    events = [
        {"choices": [{"delta": {"content": piece}, "index": index}]}
        for piece in ("lo", "ng ", "eno", "ugh")
        for index in (1, 0)
    ]
    stream = b"".join(b"data: %s\n\n" % json.dumps(event).encode() for event in events)

    assert said(stream).count(b"long enough") == 2


@given(body=st.binary() | st.text('{}[]":,\\ \ndat').map(str.encode))
def test_any_body_can_be_read(body):
    """And every text has its place."""
    for text in texts_in(body):
        places = text.view.raw(0, len(text.view.data))
        assert all(0 <= start <= end <= len(body) for start, end in places)


@given(body=st.binary(min_size=8).filter(lambda b: not b.lstrip()[:1] in (b"{", b"[")))
def test_no_byte_is_overlooked(body):
    """What is no JSON is read whole, where it is not in valid lines of it."""
    read = {
        at
        for text in texts_in(body)
        for start, end in text.view.raw(0, len(text.view.data))
        for at in range(start, end)
    }

    assert len(read) == len(body) or b"{" in body or b"[" in body

"""What a text says, and where in the body it stands."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.tape.views import Joined, Slice, Unescaped, Whole, string


@given(text=st.text(), ascii_only=st.booleans(), data=st.data())
def test_a_part_of_a_string_is_where_its_escapes_are(text, ascii_only, data):
    """To the byte: what is put in its place is there when it is read again."""
    body = json.dumps(text, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    view = string(Whole(body), 1, len(body) - 1)
    first, last = (len(text[:at].encode("utf-8", "replace")) for at in (start, end))
    if first == last:
        return

    [(at, behind)] = view.raw(first, last)

    assert view.data == text.encode("utf-8", "replace") or max(text) >= "\ud800"
    assert (
        json.loads(body[:at] + b"-" + body[behind:]) == text[:start] + "-" + text[end:]
    )


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (rb"a\u0062c", b"abc"),
        (rb"a\/b", b"a/b"),
        (rb"\ud83d\ude00", "😀".encode()),
        (rb"a\qb", b"aqb"),
        (b"a\\", b"a"),
        (b"a\nb\\t", b"a\nb\t"),
    ],
)
def test_escapes_are_read_as_near_as_one_comes(raw, said):
    """Those of JSON, and those of nobody."""
    assert Unescaped(Whole(raw), 0, len(raw)).data == said


def test_views_stand_in_views():
    """JSON in a string of JSON, in pieces: each has its place in the body."""
    inner = json.dumps({"a": "é-long"})
    pieces = [json.dumps(inner[:12]).encode(), json.dumps(inner[12:]).encode()]
    body = b" ".join(pieces)
    edge = len(pieces[0]) + 1
    whole = Whole(body)
    joined = Joined(
        [string(whole, 1, edge - 2), string(whole, edge + 1, len(body) - 1)]
    )
    start = joined.data.index(b":") + 3
    view = string(joined, start, len(joined.data) - 2)

    assert view.data == "é-long".encode()
    places = view.raw(0, len(view.data))
    assert len(places) == 2
    assert b"".join(body[a:b] for a, b in places) == rb"\\u00e9-long"


def test_a_piece_that_is_not_touched_is_not_named():
    """Empty ones, and those before and behind."""
    body = Whole(b"abcdef")
    view = Joined(
        [Slice(body, 0, 2), Slice(body, 2, 2), Slice(body, 2, 4), Slice(body, 4, 6)]
    )

    assert view.raw(2, 4) == [(2, 4)]
    assert view.raw(1, 5) == [(1, 2), (2, 4), (4, 5)]

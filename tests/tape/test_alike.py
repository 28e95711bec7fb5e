"""Requests that are a recorded one, but for what was taken out of it."""

import json

import pytest

from lectr_lab.tape.alike import has_marks, same_but_for_marks
from lectr_lab.tape.compare import comparable

CHAT = "https://api.openai.com/v1/chat/completions"


def request(said, url=CHAT, method="POST"):
    body = json.dumps({"model": "m", "a": [{"b": said}, 1]}).encode()
    return comparable(method, url, (), body, "openai")


@pytest.mark.parametrize(
    ("recorded", "asked", "same"),
    [
        ("for [redacted].", "for acme.", True),
        ("for [redacted].", "for acme!", False),
        ("[redacted] and [redacted]", "a and b", True),
        ("[redacted] and [redacted]", "a or b", False),
        ("[redacted][redacted]", "", True),
        ("aba[redacted]aba", "aba", False),
        ("aba[redacted]aba", "abaaba", True),
        ("no mark", "no mark", True),
        ("[redacted]", 5, False),
        (5, 5, True),
        (True, 1, False),
        ({"x": "[redacted]"}, {"x": "1"}, True),
        ({"x": "[redacted]"}, {"x": "1", "y": 1}, False),
        (["[redacted]"], ["1", "2"], False),
    ],
)
def test_a_mark_stands_for_any_text(recorded, asked, same):
    """In any string of the body; everything else is as it was recorded."""
    assert same_but_for_marks(request(asked), request(recorded)) is same


def test_a_mark_may_stand_in_the_path_and_the_query():
    """As a user's pattern may have put it there."""
    recorded = request("a", "https://api.openai.com/v1/of/[redacted]?for=[redacted]")
    asked = request("a", "https://api.openai.com/v1/of/acme?for=me")

    assert has_marks(recorded)
    assert not has_marks(asked)
    assert same_but_for_marks(asked, recorded)
    assert not same_but_for_marks(asked._replace(method="PUT"), recorded)
    assert not same_but_for_marks(asked._replace(operation="by/acme"), recorded)


def test_what_is_no_json_is_compared_as_a_text():
    """An upload, say; JSON is never like what is none."""
    recorded = comparable("POST", CHAT, (), b"--b\r\n[redacted]\xff", "openai")
    asked = comparable("POST", CHAT, (), b"--b\r\nacme\xff", "openai")

    assert same_but_for_marks(asked, recorded)
    assert not same_but_for_marks(request("a"), recorded)

"""A request for a conversation in short, told by how its last text begins."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.llm_api import compaction
from lectr_lab.core.llm_api.compaction import asks_to_compact, digest_of
from lectr_lab.core.llm_api.request import read_request
from lectr_lab.core.llm_api.request_body import Message, Part

ASKS = "Put all that was said above into few words, please. "


@pytest.fixture(autouse=True)
def known(monkeypatch):
    """A beginning of our own."""
    monkeypatch.setattr(compaction, "_begins", lambda: {digest_of(ASKS)})


@pytest.mark.parametrize(
    ("content", "asked"),
    [
        (ASKS + "Now.", True),
        ([Part(text="hello"), Part(text=ASKS + "Now.")], True),
        ([Part(text=ASKS + "Now."), Part(text="hello")], False),
        ([Part(type="image"), Part()], False),
        (ASKS[:48], False),
        ("So: " + ASKS, False),
        ("", False),
        ([], False),
        (None, False),
    ],
)
def test_the_last_text_tells(content, asked):
    """By its first 48 characters, where more follows."""
    earlier = Message(role="user", content=ASKS + "Now.")

    assert asks_to_compact([earlier, Message(role="user", content=content)]) is asked
    assert not asks_to_compact([])


@pytest.mark.parametrize(
    ("operation", "kind"), [("messages", "compaction"), ("chat", None)]
)
def test_a_body_is_looked_at_where_it_is_asked_in_that_way(operation, kind):
    """Of Anthropic's API alone."""
    body = json.dumps({"messages": [{"role": "user", "content": ASKS + "Now."}]})

    assert read_request(body.encode(), operation).turn_kind == kind


@given(st.text(st.characters(codec=None)))
def test_any_text_has_a_digest(text):
    """Half surrogate pairs included."""
    assert len(digest_of(text)) == 32

"""What is done to events at once is what would be done to each of their words."""

from datetime import UTC, datetime

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.event import Event
from lectr_lab.core.event_parts import _CUT, _SELDOM, _WORDS, hidden, with_seldom
from lectr_lab.core.event_values import cut
from lectr_lab.core.headers import ClientHeaders, redactor
from lectr_lab.core.llm_api.reply import ReplyFacts

HIDE = redactor(ClientHeaders(lectr_key="lc_key_x", provider_key=b"sk-test"))
EVENT = Event(
    event_id=bytes(16),
    started_at=datetime(2026, 11, 30, tzinfo=UTC),
    org="acme",
    path="/v1/chat/completions",
    operation="chat",
    total_ms=1.0,
    outcome="ok",
    token_source="absent",
)
words = st.none() | st.sampled_from(
    ["", "gpt-4o", "sk-test", "x lc_key_x", "lc_key_", "\n", "é" * 600, "m" * 2000]
)


@given(st.fixed_dictionaries(dict.fromkeys(_WORDS, words)))
def test_words_are_hidden_together_as_each_would_be(said):
    """A key in one of them, or a long one, changes that one and no other."""
    event = hidden(msgspec.structs.replace(EVENT, **said), HIDE)

    for name, word in said.items():
        safe = cut(HIDE(word)) if name in _CUT else HIDE(word)
        assert getattr(event, name) == safe


@given(st.sets(st.sampled_from(_SELDOM)))
def test_what_few_replies_tell_is_on_the_event(told):
    """Each column that a reply has under the same name, and none besides."""
    said = {name: "us" if name == "inference_geo" else 7 for name in told}

    event = with_seldom(EVENT, ReplyFacts(**said))

    assert event == msgspec.structs.replace(EVENT, **said)

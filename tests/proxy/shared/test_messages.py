"""What is said arrives as it was."""

import msgspec
from prefix_bodies import KEY, body

from lectr_lab.core.prefix.compare import Change, Seen
from lectr_lab.core.prefix.joints import read_prompt
from lectr_lab.core.prefix.rules import rule_of
from lectr_lab.proxy.shared.messages import Look, Looked, ToParent, ToWorker, look

SAID = "My name is Canary-Content-77, and this is a long message about nothing at all."


def test_a_prompt_is_asked_about_by_its_digests_alone():
    """The parent sees the same prompt, and not a word of it."""
    rule = rule_of("openai", "gpt-5.4")
    prompt = read_prompt(body("chat", SAID, system=SAID), rule, KEY, has_media=False)
    assert prompt is not None
    seen = Seen(prompt, ("openai", None), "main", 1.5, 2.5)
    data = msgspec.msgpack.encode(look(7, ("acme", None), seen, is_session=True))
    asked = msgspec.msgpack.decode(data, type=ToParent)

    assert isinstance(asked, Look)
    assert (asked.number, asked.session, asked.is_session) == (7, ("acme", None), True)
    assert asked.seen == seen
    assert b"Canary" not in data


def test_an_answer_is_the_change():
    """With all that it says."""
    change = Change(4, None, "history", 2.5)
    data = msgspec.msgpack.encode(Looked(7, *change))
    answer = msgspec.msgpack.decode(data, type=ToWorker)

    assert isinstance(answer, Looked)
    assert answer.change == change

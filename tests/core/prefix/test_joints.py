"""A prompt is read joint by joint, whichever API it is in."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefix_bodies import APIS, KEY, body

from lectr_lab.core.prefix.joints import MOST_JOINTS, read_prompt
from lectr_lab.core.prefix.rules import rule_of

ANTHROPIC = rule_of("anthropic", "claude-opus-5-5")
OPENAI = rule_of("openai", "gpt-5.4")
texts = st.text(min_size=1, max_size=40)
MARK = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}


def read(data: bytes, rule=None, **known):
    return read_prompt(data, rule, KEY, **known)


@pytest.mark.parametrize("api", APIS)
def test_tools_come_first_then_the_system_prompt_then_messages(api):
    """And what a model said is known as such."""
    prompt = read(body(api, "Hi", "Hello", "Go on"))

    assert (prompt.tools, prompt.heads, len(prompt)) == (2, 3, 6)
    assert list(prompt.answers) == [0, 0, 0, 0, 1, 0]
    assert not prompt.is_opening
    assert read(body(api, "Hi")).is_opening


@pytest.mark.parametrize("api", APIS)
@given(said=st.lists(texts, min_size=1, max_size=6), more=st.lists(texts, max_size=3))
def test_what_goes_on_begins_with_what_was(api, said, more):
    """A longer conversation shares every joint of the shorter one."""
    before, now = read(body(api, *said)), read(body(api, *said, *more))

    assert now.shared(before) == len(before)
    assert now.chars(len(before)) == before.chars(len(before))


@pytest.mark.parametrize("api", APIS)
@given(said=st.lists(texts, min_size=2, max_size=6, unique=True), data=st.data())
def test_what_was_altered_is_shared_no_more(api, said, data):
    """From the altered message on, and not before."""
    at = data.draw(st.integers(0, len(said) - 1))
    altered = [*said[:at], said[at] + "!", *said[at + 1 :]]
    before, now = read(body(api, *said)), read(body(api, *altered))

    assert now.shared(before) == now.heads + at


@given(texts, texts, st.sampled_from(["", " "]))
def test_marks_for_the_cache_are_no_part_of_a_prompt(first, second, space):
    """They move from message to message, and a text is made a list to carry one."""
    plain = [
        {"role": "user", "content": first},
        {"role": "assistant", "content": second},
    ]
    block = {"type": "text", "text": second, **MARK}
    marked = [plain[0], {"role": "assistant", "content": [block]}]
    system = [{"type": "text", "text": "Be brief.", **MARK}]
    separators = ("," + space, ":" + space)

    def prompt(messages, system):
        data = {"system": system, "messages": messages}
        return read(json.dumps(data, separators=separators).encode(), ANTHROPIC)

    unmarked = prompt(plain, [{"type": "text", "text": "Be brief."}])
    assert prompt(marked, system).digests == unmarked.digests


def test_a_mark_that_a_text_speaks_of_is_part_of_it():
    """Only the field is left out, not words that name it."""
    said = 'Set "cache_control": {"type": "ephemeral"}, please'
    other = 'Set "cache_control": {"type": "none"}, please'

    assert read(body("messages", said)).digests != read(body("messages", other)).digests


@pytest.mark.parametrize(
    "held",
    [
        {"previous_response_id": "resp_1"},
        {"conversation": "conv_1"},
        {"prompt": {"id": "pmpt_1"}},
        {"thread": {"type": "continue", "previous_message_id": "msg_1"}},
        {"cachedContent": "cachedContents/1"},
    ],
    ids=lambda held: next(iter(held)),
)
def test_the_end_of_a_prompt_that_the_provider_holds_is_not_watched(held):
    """Its beginning is not here."""
    assert read(body("responses", "Hi", **held)) is None


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b'{"messages": 3}', b"\xff", b'{"input": '],
)
def test_what_is_no_prompt_is_not_watched(data):
    """Nothing raises."""
    assert read(data) is None


def test_a_text_alone_is_a_prompt():
    """Responses take one in the place of items."""
    prompt = read(b'{"instructions": "Be brief.", "input": "Hi"}')

    assert (prompt.heads, len(prompt), prompt.is_opening) == (1, 2, True)


def test_items_of_one_answer_are_one_answer():
    """Reasoning, a call and its text were written together."""
    items = [
        {"role": "user", "content": "Read it"},
        {"type": "reasoning", "summary": []},
        {"type": "function_call", "name": "read", "arguments": "{}"},
        {"type": "function_call_output", "output": "text"},
    ]
    prompt = read(json.dumps({"input": items}).encode())

    assert list(prompt.answers) == [0, 1, 1, 0]
    assert prompt.sent_before == 1


def test_more_joints_than_a_conversation_has_are_not_watched():
    """They would take long, and hold much."""
    said = ["x"] * (MOST_JOINTS + 1)

    assert read(body("chat", *said)) is None


def test_the_parameters_that_a_rule_names_are_known():
    """By digests, so that another value is another digest, and none is none."""
    auto = read(body("messages", "Hi", tool_choice={"type": "auto"}), ANTHROPIC)
    none = read(body("messages", "Hi"), ANTHROPIC)
    effort = read(body("responses", "Hi", reasoning={"effort": "low"}), OPENAI)
    null = read(body("responses", "Hi", reasoning={"effort": None}), OPENAI)
    unset = read(body("responses", "Hi", reasoning=None), OPENAI)

    assert auto.parameters != none.parameters
    assert effort.parameters != null.parameters == unset.parameters


def test_pictures_are_a_parameter_where_the_rule_says_so():
    """Whether there are any is known of the request already."""
    data = body("messages", "Hi")

    without, with_some = read(data, ANTHROPIC), read(data, ANTHROPIC, has_media=True)
    assert without.parameters != with_some.parameters


def test_a_pictures_length_is_not_that_of_its_base64():
    """A megabyte of it is some thousand tokens."""
    picture = base64.b64encode(bytes(750_000)).decode()
    source = {"type": "base64", "media_type": "image/png", "data": picture}
    message = {"role": "user", "content": [{"type": "image", "source": source}]}
    data = json.dumps({"messages": [message]}).encode()

    assert read(data, has_media=True).chars(1) < 7_000


def test_a_line_that_is_not_hashed_is_no_part_of_the_prompt():
    """Claude Code's attribution differs from request to request."""

    def prompt(line, rule):
        system = [{"type": "text", "text": line}, {"type": "text", "text": "Be brief."}]
        data = {"system": system, "messages": [{"role": "user", "content": "Hi"}]}
        return read(json.dumps(data).encode(), rule)

    one = "x-anthropic-billing-header: cc_version=2.1; cch=36ee5;"
    other = one.replace("36ee5", "0aaa9")
    assert prompt(one, ANTHROPIC).digests == prompt(other, ANTHROPIC).digests
    assert prompt(one, OPENAI).digests != prompt(other, OPENAI).digests


def test_digests_are_keyed():
    """Another process has others."""
    data = body("chat", "Hi")

    assert read_prompt(data, None, b"a" * 32) != read_prompt(data, None, b"b" * 32)

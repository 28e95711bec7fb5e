"""What a tokenizer is shown of a stream, and what it is not."""

import json
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.analysis.simulate.tokenizers import tokenizer_of
from lectr_lab.core.llm_api.token_texts import (
    _ENCODINGS,
    answers_of,
    encoding_of,
    prompt_of,
)

CHUNK = {"choices": [{"index": 0, "delta": {"content": "Hé"}}]}


def body(**fields) -> bytes:
    plain = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
    return json.dumps(plain | fields).encode()


def stream(*chunks: dict) -> bytes:
    return b"".join(b"data: %s\n\n" % json.dumps(c).encode() for c in chunks)


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": [{}]},
        {"functions": [{}]},
        {"response_format": {"type": "json_schema"}},
        {"prediction": {}},
        {"a_setting_of_tomorrow": 1},
        {"messages": [{"role": "tool", "content": "4", "tool_call_id": "c"}]},
        {"messages": [{"role": "assistant", "tool_calls": [{}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]},
        {"messages": [{"role": "user", "content": 1}]},
        {"messages": ["Hi"]},
        {"messages": None},
    ],
)
def test_what_text_does_not_show_is_not_counted(fields):
    """A part that is billed unseen leaves the whole row alone."""
    assert prompt_of("chat", body()) is not None
    assert prompt_of("chat", body(**fields)) is None


@pytest.mark.parametrize("prompt", [[1, 2], [[1]], None, 1, ["a", 1]])
def test_a_prompt_of_numbers_is_not_counted(prompt):
    """Completions take tokens too."""
    assert prompt_of("completions", json.dumps({"prompt": prompt}).encode()) is None
    assert prompt_of("completions", b'{"prompt": "a"}') == (["a"], 0)


def test_a_name_and_parts_are_counted():
    """A name is framed by one token more; each part is a text."""
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    message = {"role": "user", "name": "ann", "content": parts}

    assert prompt_of("chat", body(messages=[message])) == (
        ["user", "ann", "a", "b"],
        7,
    )


@given(data=st.binary(max_size=200))
def test_any_bytes_can_be_asked(data):
    """Nothing raises."""
    assert prompt_of("chat", data) is None
    assert answers_of("", [data]) in (None, [])


@given(data=st.data())
def test_answers_are_the_same_however_they_are_cut(data):
    """Choices apart, each whole."""
    other = {"choices": [{"index": 1, "delta": {"content": "x"}}]}
    whole = stream(CHUNK, other, CHUNK)
    cut = data.draw(st.integers(0, len(whole)))

    assert answers_of("", [whole[:cut], whole[cut:]]) == ["HéHé", "x"]


@pytest.mark.parametrize(
    "choice",
    [
        {"delta": {"tool_calls": [{"function": {"arguments": "{}"}}]}},
        {"delta": {"audio": {"data": ""}}},
        {"delta": {}, "finish_reason": "content_filter"},
    ],
)
def test_an_answer_that_is_no_text_is_not_counted(choice):
    """It is billed, and not to be seen."""
    assert answers_of("", [stream(CHUNK, {"choices": [choice]})]) is None


@pytest.mark.parametrize(
    "model",
    "o1 o3-mini gpt-5 gpt-5-nano-2025-08-07 claude-opus-4-1 gemma-3 gpt-oss-120b "
    "llama-3.1-8b-instant openai/gpt-oss-120b gpt-4o-search-preview".split(),
)
def test_hidden_thoughts_and_other_vendors_have_no_encoding(model):
    """Their tokens are not those of the text."""
    assert encoding_of(model) is None


def test_the_encodings_are_those_of_the_assumptions():
    """One opinion in the package on which model has which vocabulary."""
    for encoding, patterns in _ENCODINGS.items():
        for pattern in patterns:
            name = pattern.replace("*", "")
            assert fnmatchcase(name, pattern)
            assert tokenizer_of(name) == encoding.removesuffix("_base")

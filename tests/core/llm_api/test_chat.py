"""Chat, completions and embeddings, whole."""

import json

import pytest

from lectr_lab.core.llm_api.chat import CHAT
from lectr_lab.core.llm_api.dialect import Answer


def taken(reply):
    """The answer of one whole reply."""
    answer = Answer()
    CHAT.take(answer, CHAT.decoder.decode(json.dumps(reply)))
    return answer


@pytest.mark.parametrize(
    ("message", "chars"),
    [
        ({"content": "four"}, 4),
        ({"content": None, "refusal": "no"}, 2),
        ({"content": [{"type": "text", "text": "ab"}, {"type": "image_url"}]}, 2),
        ({"content": None, "reasoning_content": "abc"}, 3),
        ({"content": "a", "reasoning": "bc"}, 3),
        ({"reasoning": "same", "reasoning_content": "same"}, 4),
        ({"tool_calls": [{"function": {"name": "f", "arguments": "{}"}}] * 2}, 4),
        ({"tool_calls": [{"type": "custom", "custom": {"input": "abc"}}]}, 3),
        ({"function_call": {"name": "f", "arguments": '{"a":1}'}}, 7),
        ({"content": None}, 0),
        ({"content": []}, 0),
    ],
)
def test_an_answer_is_text_reasoning_and_arguments(message, chars):
    """Each is measured once."""
    assert taken({"choices": [{"index": 0, "message": message}]}).chars == chars


def test_choices_without_an_index_are_told_apart_by_their_place():
    """Two answers are two."""
    texts = [{"text": "a", "finish_reason": "stop"}, {"text": "bc"}]

    answer = taken({"choices": texts})

    assert (answer.finish, answer.chars) == ({0: "stop", 1: None}, 3)


def test_embeddings_are_no_answer():
    """They have a model and a usage, no choices and no text."""
    answer = taken(
        {"model": "e", "data": [{"embedding": [0.1]}], "usage": {"prompt_tokens": 8}}
    )

    assert (answer.model, answer.usage) == ("e", {"prompt_tokens": 8})
    assert (answer.finish, answer.chars) == ({}, None)


def test_audio_is_content_without_characters():
    """A spoken answer has started, though there is nothing to measure."""
    answer = taken({"choices": [{"delta": {"audio": {"data": "AAAA"}}}]})

    assert (answer.content_started, answer.chars) == (True, 0)


def test_llama_cpp_replies_are_read():
    """Its timings are kept for replies without usage; a null content is nothing."""
    answer = taken(
        {
            "model": "smol.gguf",
            "choices": [{"index": 0, "delta": {"role": "assistant", "content": None}}],
            "timings": {"prompt_n": 4, "cache_n": 0, "predicted_n": 2},
        }
    )

    assert answer.timings["predicted_n"] == 2
    assert not answer.content_started


def test_usage_may_stand_in_a_choice():
    """Moonshot's streams have it in the last one, and nowhere else."""
    usage = {"prompt_tokens": 9, "completion_tokens": 2}
    chunk = {"choices": [{"index": 0, "delta": {}, "usage": usage}]}
    answer = Answer()

    CHAT.take(answer, CHAT.decoder.decode(json.dumps(chunk)))

    assert answer.usage == usage

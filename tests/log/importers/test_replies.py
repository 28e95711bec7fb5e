"""Kept replies are read as the proxy reads them."""

import pytest

from lectr_lab.log.importers.replies import operation_of, reply_facts

USAGE = {"input_tokens": 3, "cache_read_input_tokens": 90, "output_tokens": 7}


def test_the_facts_are_those_of_the_proxys_reader():
    """Tokens, ids, reasons; of the text its length."""
    body = {"id": "msg_1", "type": "message", "model": "claude-x", "usage": USAGE}
    body |= {"stop_reason": "end_turn", "content": [{"type": "text", "text": "Hello"}]}

    facts = reply_facts("messages", body)

    assert facts == {
        "input_tokens": 93,
        "output_tokens": 7,
        "cache_read_tokens": 90,
        "model_actual": "claude-x",
        "finish_reason": "end_turn",
        "choice_count": 1,
        "token_source": "provider",
        "output_chars": 5,
        "provider_response_id": "msg_1",
    }


@pytest.mark.parametrize(
    ("body", "operation"),
    [
        ({"object": "chat.completion"}, "chat"),
        ({"object": "text_completion"}, "completions"),
        ({"object": "response"}, "responses"),
        ({"object": "list"}, "embeddings"),
        ({"type": "message"}, "messages"),
        ({"results": []}, "moderations"),
        ({"object": "image"}, None),
        (None, None),
    ],
)
def test_a_body_says_what_it_is(body, operation):
    """Or it is nothing that is known."""
    assert operation_of(body) == operation

"""Output files of OpenAI's batches: each answered request, at half the price, once."""

import json

import pytest

from lectr_lab.core.event import Event
from lectr_lab.core.pricing.price import price_event
from lectr_lab.log.importers import batches, openai_batch
from lectr_lab.log.importers.fields import Choices
from lectr_lab.log.importers.importing import import_log
from lectr_lab.log.importers.openai_batch import openai_batch_rows
from lectr_lab.log.scan import scan

CHAT = {
    "id": "chatcmpl-000000001",
    "object": "chat.completion",
    "created": 1795521600,
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [{"index": 0, "message": {"content": "hi"}, "finish_reason": "stop"}],
    "usage": {
        "prompt_tokens": 1000,
        "completion_tokens": 100,
        "prompt_tokens_details": {"cached_tokens": 0},
    },
}
RESPONSE = {
    "id": "resp_000000001",
    "object": "response",
    "created_at": 1795521600,
    "status": "completed",
    "model": "gpt-4o-mini-2024-07-18",
    "output": [],
    "usage": {"input_tokens": 1000, "output_tokens": 100},
}
EMBEDDING = {
    "object": "list",
    "data": [{"object": "embedding", "embedding": [0.1]}],
    "model": "text-embedding-3-small",
    "usage": {"prompt_tokens": 1000, "total_tokens": 1000},
}


def line(number: int, body: dict, status: int = 200) -> dict:
    response = {"status_code": status, "request_id": f"r{number}", "body": body}
    own = {"id": f"batch_req_{number}", "custom_id": f"my {number}", "error": None}
    return own | {"response": response}


def written(path, *lines):
    file = path / "output.jsonl"
    file.write_text("".join(f"{json.dumps(one)}\n" for one in lines))
    return file


@pytest.mark.parametrize(
    ("body", "operation", "usd"),
    [(CHAT, "chat", 0.000105), (RESPONSE, "responses", 0.000105)],
)
def test_an_answer_is_an_event_at_the_price_of_batches(
    tmp_path, take, body, operation, usd
):
    """Half of the standard one."""
    [event] = take(
        openai_batch_rows(written(tmp_path, line(1, body)), Choices())
    ).events

    assert (event["operation"], event["input_tokens"]) == (operation, 1000)
    assert event["provider_response_id"] == body["id"]
    full = {"path": "", "total_ms": 0.0, **event}
    assert float(price_event(Event(**full))) == pytest.approx(usd)


def test_what_was_not_answered_is_not_billed(tmp_path, take):
    """Failed requests, those of the input file, and anything else are told apart."""
    asked = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions"}
    failed = line(2, {"error": {"message": "no"}}, status=400)
    expired = line(3, {}) | {"response": None, "error": {"code": "batch_expired"}}
    told = take(
        openai_batch_rows(
            written(tmp_path, failed, expired, asked, {"a": 1}), Choices()
        )
    )

    assert told.events == []
    assert told.left == {
        batches.NOT_ANSWERED: 2,
        openai_batch.QUESTIONS: 1,
        batches.NO_ROW: 1,
    }


def test_a_batch_counts_once(lab, tmp_path):
    """Also one whose answers name no time, copied and fetched again."""
    file = written(tmp_path, line(1, CHAT), line(2, EMBEDDING))
    copy = tmp_path / "again" / "output.jsonl"
    copy.parent.mkdir()

    import_log(file, lab, kind="openai-batch", org="acme")
    copy.write_bytes(file.read_bytes())
    done = import_log(tmp_path / "again", lab, kind="openai-batch", org="acme")

    assert done.added == 0
    assert scan(lab.root).collect().height == 2

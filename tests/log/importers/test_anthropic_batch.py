"""Results of Anthropic's batches: each message, at half the price, once."""

import json
from datetime import UTC, datetime

import pytest

from lectr_lab.core.event import Event
from lectr_lab.core.pricing.price import price_event
from lectr_lab.log.importers import batches
from lectr_lab.log.importers.anthropic_batch import anthropic_batch_rows
from lectr_lab.log.importers.fields import Choices

MESSAGE = {
    "id": "msg_0000000001",
    "type": "message",
    "model": "claude-sonnet-4-5-20250929",
    "stop_reason": "end_turn",
    "content": [],
    "usage": {
        "input_tokens": 100,
        "cache_read_input_tokens": 900,
        "output_tokens": 100,
        "service_tier": "batch",
    },
}
AT = datetime(2026, 11, 24, tzinfo=UTC)


def line(kind: str, **more) -> dict:
    return {"custom_id": "my id", "result": {"type": kind, **more}}


def test_a_message_is_an_event_at_the_price_of_batches(tmp_path, take):
    """Cached input included; the rest was not answered, and is not billed."""
    lines = [line("succeeded", message=MESSAGE), line("errored"), line("expired"), {}]
    file = tmp_path / "results.jsonl"
    file.write_text("".join(f"{json.dumps(one)}\n" for one in lines))

    told = take(anthropic_batch_rows(file, Choices(at=AT)))

    [event] = told.events
    assert (event["input_tokens"], event["started_at"]) == (1000, AT)
    assert told.ids == ["msg_0000000001"]
    usd = price_event(Event(**{"path": "", "total_ms": 0.0, **event}))
    right = (100 * 3 + 900 * 0.3 + 100 * 15) / 2e6
    assert float(usd) == pytest.approx(right)
    assert told.left == {batches.NOT_ANSWERED: 2, batches.NO_ROW: 1}

"""A small log to arrange."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.core.event import Event
from lectr_lab.log.schema import frame

START = datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.fixture(scope="session")
def log() -> Callable[..., pl.LazyFrame]:
    """A priced log: one request an hour for each set of fields."""

    def of(*requests: dict[str, Any]) -> pl.LazyFrame:
        events = [_event(i, fields) for i, fields in enumerate(requests)]
        return priced(frame(events).lazy())

    return of


@pytest.fixture(scope="session")
def event() -> Callable[[int, dict[str, Any]], Event]:
    """One event: its number is its hour and its identity."""
    return _event


def _event(i: int, fields: dict[str, Any]) -> Event:
    defaults: dict[str, Any] = {
        "event_id": i.to_bytes(16, "big"),
        "started_at": START + timedelta(hours=i),
        "org": "local",
        "feature": "chat",
        "path": "/v1/chat/completions",
        "operation": "chat",
        "outcome": "ok",
        "total_ms": 800.0 + i,
        "ttft_ms": 200.0,
        "provider": "openai",
        "model_actual": "gpt-4o-mini",
        "input_tokens": 1000,
        "output_tokens": 500,
        "token_source": "provider",
    }
    return Event(**(defaults | fields))

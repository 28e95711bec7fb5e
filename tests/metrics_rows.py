"""Rows whose sums a test can tell, for metrics."""

from datetime import UTC, datetime, timedelta

from lectr_lab.core.event import Event
from lectr_lab.core.ids import event_id
from lectr_lab.log.schema import frame
from lectr_lab.metrics.counts import count, needed
from lectr_lab.metrics.labels import LABELS, Names
from lectr_lab.metrics.series import Lacks, Metric, metrics

NOW = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
OUTCOMES = ("ok", "ok", "ok", "provider_error", "client_disconnect")


def events(first: int, count: int, days_ago: int = 0, **more) -> list[Event]:
    """Events with numbers from `first` on."""
    return [event(number, days_ago, **more) for number in range(first, first + count)]


def event(number: int, days_ago: int = 0, **more) -> Event:
    """One of them: its figures follow from its number."""
    at = NOW - timedelta(days=days_ago) + timedelta(milliseconds=number)
    outcome = OUTCOMES[number % len(OUTCOMES)]
    usual = {
        "event_id": event_id(int(at.timestamp() * 1000), number << 40 | number),
        "started_at": at,
        "org": "acme",
        "feature": ("chat", "search", None)[number % 3],
        "path": "/v1/chat/completions",
        "operation": "chat",
        "provider": "openai",
        "model_requested": "gpt-4o-mini",
        "outcome": outcome,
        "error_type": "overloaded" if outcome == "provider_error" else None,
        "status": 200,
        "total_ms": 10.0 + number / 8,
        "ttft_ms": 5.0 if number % 2 else None,
        "input_tokens": number + 1,
        "output_tokens": 3,
        "cache_read_tokens": 1,
    }
    return Event(**usual | more)


def made(rows: list[Event]) -> list[Metric]:
    """The metrics of some rows, without prices."""
    log = frame(rows).lazy()
    counts = count(needed(log).collect(), Names(500, len(LABELS)), Names(50, 1))
    return metrics(counts, Lacks())

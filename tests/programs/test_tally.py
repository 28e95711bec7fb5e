"""What passed, counted."""

from datetime import UTC, datetime

from lectr_lab.core.event import Event
from lectr_lab.programs.tally import Tally


def event(number: int, outcome: str) -> Event:
    return Event(
        event_id=bytes([number] * 16),
        started_at=datetime(2026, 11, number, 23, 59, tzinfo=UTC),
        org="me",
        path="/v1/chat/completions",
        operation="chat",
        outcome=outcome,
        total_ms=1.0,
    )


def test_each_event_is_counted_once():
    """By its id and day; whatever did not end well has failed."""
    tally = Tally()

    for one in (event(1, "ok"), event(2, "refused"), event(2, "ok")):
        tally.ended(one)

    assert [i[0] for i in tally.passed.event_ids] == [1, 2, 2]
    assert sorted(day.day for day in tally.passed.days) == [1, 2]
    assert tally.passed.failed == 1

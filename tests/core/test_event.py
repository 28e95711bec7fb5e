"""The schema: every column said once, with its unit, meaning and OTel name."""

import re
from datetime import UTC, datetime

import msgspec

from lectr_lab.core.event import Event, columns

UNITS = {
    "_ms": "ms",
    "_tokens": "tokens",
    "_bytes": "bytes",
    "_chars": "characters",
    "_count": None,
}


def test_every_column_says_what_it_is():
    """A meaning, an OTel name, and the unit that its name promises."""
    for column in columns():
        assert column.meaning, column.name
        assert re.fullmatch(r"[a-z_]+(\.[a-z0-9_]+)*", column.otel), column.name
        for suffix, unit in UNITS.items():
            if column.name.endswith(suffix) and unit:
                assert column.unit == unit, column.name


def test_otel_names_are_used_once():
    """Two columns are never exported under one name."""
    names = [column.otel for column in columns()]

    assert len(names) == len(set(names))


def test_no_column_could_hold_content():
    """There is no prompt, message, answer, header, body or key among the names."""
    names = {column.name for column in columns()}

    assert not names & {"prompt", "messages", "content", "answer", "headers", "body"}
    assert not [name for name in names if "key" in name or "authorization" in name]


def test_what_was_not_said_is_null():
    """Only what every request has is required."""
    event = Event(
        event_id=bytes(16),
        started_at=datetime(2026, 11, 24, tzinfo=UTC),
        org="acme",
        path="/v1/models",
        operation="other",
        outcome="ok",
        total_ms=1.0,
    )

    given = msgspec.structs.asdict(event)
    told = {name for name, value in given.items() if value is not None}
    assert told == {
        "event_id",
        "started_at",
        "org",
        "kind",
        "path",
        "operation",
        "outcome",
        "total_ms",
        "token_source",
    }

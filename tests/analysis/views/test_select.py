"""Which rows of a log are looked at."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from lectr_lab.analysis.views.select import Period, period, select
from lectr_lab.core.errors import LabError

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
def log(log_of, event):
    """Six requests, four hours apart, each unlike the others."""
    kinds = [
        {"feature": "chat"},
        {"feature": None},
        {"feature": "chat", "org": "other"},
        {"provider": "groq", "model_actual": "llama"},
        {"task": "extraction", "session": "s1", "client": "codex", "agent": "a"},
        {"model_actual": None, "model_sent": None, "model_requested": "asked"}
        | {"session": "", "user": "u", "stream": True, "turn_kind": "subagent"},
    ]
    return log_of(
        event(
            started_at=NOON + timedelta(hours=4 * n), provider_request_id=str(n), **kind
        )
        for n, kind in enumerate(kinds)
    )


def ids(found):
    return "".join(found.collect()["provider_request_id"])


@pytest.mark.parametrize(
    "asked, expected",
    [
        ({}, "012345"),
        ({"org": "other"}, "2"),
        ({"org": ["other", "local"]}, "012345"),
        ({"feature": "chat"}, "02"),
        ({"feature": "untagged"}, "1345"),
        ({"feature": []}, ""),
        ({"provider": "groq"}, "3"),
        ({"model": "llama"}, "3"),
        ({"model": "asked"}, "5"),
        ({"task": "extraction"}, "4"),
        ({"feature": "chat", "org": "local"}, "0"),
        ({"session": "s1"}, "4"),
        ({"session": "no session"}, "01235"),
        ({"session": ["no session", "s1"]}, "012345"),
        ({"user": ["u", "v"]}, "5"),
        ({"client": "codex", "agent": "a"}, "4"),
        ({"client": "codex", "agent": "no agent"}, ""),
        ({"turn_kind": "subagent"}, "5"),
        ({"stream": True}, "5"),
        ({"stream": "no stream"}, "01234"),
        ({"operation": ["chat"]}, "012345"),
        ({"since": "2026-11-03"}, "345"),
        ({"until": "2026-11-02"}, "012"),
        ({"since": "2026-11-02..2026-11-02"}, "012"),
        ({"since": "..2026-11-02"}, "012"),
        ({"since": "2026-11-03.."}, "345"),
        ({"since": "8h"}, "345"),
        ({"since": "2026-11-02T16:00", "until": "2026-11-02T20:00"}, "1"),
        ({"since": "2026-11-03", "tz": "America/New_York"}, "5"),
    ],
)
def test_what_is_asked_for_is_what_is_seen(log, asked, expected):
    """Names as they are written, days whole, ends open where nothing is said."""
    now = NOON + timedelta(hours=20)

    assert ids(select(log, **asked, now=now)) == expected


@pytest.mark.parametrize(
    "since, until",
    [
        ("yesterday", None),
        ("2026-13-01", None),
        ("24 fortnights", None),
        ("999999w", None),
        ("2026-11-02..2026-11-01", None),
        ("2026-11-02..", "2026-11-03"),
        (None, "soon"),
        (None, "9999-12-31"),
        ("0001-01-01T00:00+23:00", None),
    ],
)
def test_a_time_that_cannot_be_read_is_said(log, since, until):
    """The error says what to write."""
    with pytest.raises(LabError):
        select(log, since=since, until=until, now=NOON)


def test_an_unknown_time_zone_is_said(log):
    """Not a traceback of the time zone data."""
    with pytest.raises(LabError, match="Europe/Berlin"):
        select(log, since="24h", tz="Mars/Olympus")


def test_nothing_said_is_everything(log):
    """No filter at all, then."""
    assert period(None, now=NOON) == Period()
    assert select(log) is log


def test_a_day_of_a_clock_change_is_whole():
    """The last Sunday of October has 25 hours in Berlin."""
    day = period("2026-10-25..2026-10-25", now=NOON, tz="Europe/Berlin")

    assert day.end.astimezone(UTC) - day.first.astimezone(UTC) == timedelta(hours=25)


def test_a_column_that_is_not_there_is_named(log):
    """With what is near it."""
    with pytest.raises(LabError, match=r"'sesion'.*near it: session"):
        select(log, sesion="s1")


def test_a_column_that_was_joined_is_one_of_the_log(log):
    """Such as the team that owns a feature."""
    teams = log.with_columns(team=pl.col("feature").replace("chat", "blue"))

    assert ids(select(teams, team="blue")) == "02"

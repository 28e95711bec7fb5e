"""Which spans are meant."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.analysis.compare.spans import Reach, Span, named, spans, zone_of
from lectr_lab.core.errors import LabError

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)  # a Wednesday
LONG = Reach(
    datetime(2026, 10, 1, 9, tzinfo=UTC), datetime(2026, 11, 18, 11, tzinfo=UTC)
)


def told(before, after, reach=LONG, tz="UTC", now=NOON) -> tuple[str, str]:
    """Both spans in words."""
    first, second = spans(before, after, reach, tz=tz, now=now)
    return named(first), named(second)


@pytest.mark.parametrize(
    ("after", "was", "now"),
    [
        (None, "2 to 8 Nov 2026", "9 to 15 Nov 2026"),
        ("last week", "2 to 8 Nov 2026", "9 to 15 Nov 2026"),
        ("Last  Week", "2 to 8 Nov 2026", "9 to 15 Nov 2026"),
        ("yesterday", "16 Nov 2026", "17 Nov 2026"),
        ("last month", "1 to 30 Sep 2026", "1 to 31 Oct 2026"),
        ("2026-03", "1 to 28 Feb 2026", "1 to 31 Mar 2026"),
        ("2026-11-10", "9 Nov 2026", "10 Nov 2026"),
        ("2026-11-10..2026-11-12", "7 to 9 Nov 2026", "10 to 12 Nov 2026"),
        (("2026-11-10", date(2026, 11, 12)), "7 to 9 Nov 2026", "10 to 12 Nov 2026"),
        (
            "this week",
            "9 Nov 2026 00:00 to 11 Nov 2026 12:00",
            "16 Nov 2026 00:00 to 18 Nov 2026 12:00",
        ),
        (
            "24h",
            "16 Nov 2026 12:00 to 17 Nov 2026 12:00",
            "17 Nov 2026 12:00 to 18 Nov 2026 12:00",
        ),
    ],
)
def test_words_are_spans_and_previous_is_what_was_before(after, was, now):
    """As long, and right before; of a week that still runs, as much of the last one."""
    assert told(None, after) == told("previous", after) == (was, now)


def test_both_can_be_told():
    """Any two, in the order they are given."""
    assert told("last month", "2026-11-02") == ("1 to 31 Oct 2026", "2 Nov 2026")


def test_a_month_is_no_longer_than_its_own_days():
    """What is before 31 March's month so far ends with February."""
    now = datetime(2026, 3, 31, 18, tzinfo=UTC)

    first, second = spans(None, "this month", None, now=now)

    assert first == Span(
        datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    )
    assert second.end == now


@pytest.mark.parametrize(
    ("first_day", "last_at", "was", "now"),
    [
        (date(2026, 11, 1), "2026-11-15T20:00", "2 to 8 Nov 2026", "9 to 15 Nov 2026"),
        (date(2026, 11, 2), "2026-11-15T20:00", "2 to 8 Nov 2026", "9 to 15 Nov 2026"),
        (date(2026, 11, 3), "2026-11-15T20:00", "4 to 9 Nov 2026", "10 to 15 Nov 2026"),
        (date(2026, 11, 16), "2026-11-17T20:00", "16 Nov 2026", "17 Nov 2026"),
        (
            date(2026, 11, 18),
            "2026-11-18T10:00",
            "18 Nov 2026 00:00 to 18 Nov 2026 05:00",
            "18 Nov 2026 05:00 to 18 Nov 2026 10:00",
        ),
    ],
)
def test_without_a_word_it_is_what_the_log_has(first_day, last_at, was, now):
    """The last two whole weeks, else the halves of its days, else of its hours; a day
    that still runs is not whole."""
    begin = datetime(first_day.year, first_day.month, first_day.day, tzinfo=UTC)
    reach = Reach(begin, datetime.fromisoformat(last_at).replace(tzinfo=UTC))

    assert told(None, None, reach) == (was, now)


def test_a_week_has_168_hours_or_one_more():
    """Days are those of the time zone: that of 25 October had 25 hours in Berlin."""
    first, second = spans(
        None, "2026-10-19..2026-10-25", LONG, tz="Europe/Berlin", now=NOON
    )

    hours = [
        (s.end.astimezone(UTC) - s.first.astimezone(UTC)) / timedelta(hours=1)
        for s in (first, second)
    ]
    assert hours == [168, 169]
    assert zone_of(second) == " Europe/Berlin" and first.end == second.first


@pytest.mark.parametrize(
    "odd",
    ["nonsense", "2026-13", "2026-11-07..2026-11-01", 7, ("a", "b"), "..", (7, 8)],
)
def test_what_is_no_span_is_told(odd):
    """In one sentence that says what is one."""
    with pytest.raises(LabError):
        spans(None, odd, LONG, now=NOON)


moments = st.datetimes(
    datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)
)


@given(
    now=moments,
    begin=moments,
    length=st.timedeltas(timedelta(0), timedelta(days=90)),
    tz=st.sampled_from(["UTC", "Europe/Berlin", "America/Havana", "Asia/Kathmandu"]),
    after=st.sampled_from([None, "today", "this week", "this month", "last day", "7d"]),
)
def test_what_is_previous_ends_where_the_other_begins_or_before(
    now, begin, length, tz, after
):
    """Neither is empty, and no row is in both."""
    first, second = spans(None, after, Reach(begin, begin + length), tz=tz, now=now)

    ends = [at.astimezone(UTC) for at in (*first, *second)]
    assert ends[0] <= ends[1] <= ends[2] <= ends[3]
    assert ends[2] < ends[3]
    assert isinstance(first.first.tzinfo, ZoneInfo)

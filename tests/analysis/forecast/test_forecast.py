"""The month's bill, next week's, and the day of a budget, from a log."""

from datetime import UTC, date, datetime, timedelta

import pytest

from lectr_lab.analysis.forecast import forecast, forecast_payload
from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.core.errors import ConfigError

FIRST = datetime(2026, 11, 2, tzinfo=UTC)  # a Monday
A_CALL_USD = 0.00262  # gpt-4o, 1,000 tokens in, 12 out
NAMES = ("model_actual", "model_sent", "model_requested")


@pytest.fixture(scope="session")
def log_from(log_of, event):
    """A log of calls every hour over so many days, the last one cut at an hour."""

    def of(days, until_hour=24, first=FIRST, **fields):
        said = dict.fromkeys(NAMES, "gpt-4o-2024-08-06") | {"output_tokens": 12}
        hours = 24 * (days - 1) + until_hour
        return priced(
            log_of(
                [
                    event(started_at=first + timedelta(hours=h), **(said | fields))
                    for h in range(hours)
                ]
            )
        )

    return of


def test_the_bill_is_what_was_spent_and_what_is_to_come(log_from):
    """Two steady weeks of November: the rest is as the past, and less sure."""
    found = forecast(log_from(14))
    [one] = found.outlooks

    a_day = 24 * A_CALL_USD
    assert (found.until, found.whole_until) == (date(2026, 11, 15),) * 2
    assert (one.days, one.spent_usd) == (14, pytest.approx(14 * a_day))
    assert one.bill_usd == pytest.approx(29 * a_day, rel=0.02)
    assert one.spent_usd < one.bill.low < one.bill_usd < one.bill.high
    assert one.next_week_usd == pytest.approx(7 * a_day, rel=0.02)
    assert one.next_week.low < one.next_week_usd < one.next_week.high


def test_a_day_that_was_seen_in_part_is_no_day(log_from):
    """It counts in what was spent, and is not taken for a quiet day."""
    found = forecast(log_from(14, until_hour=6))

    assert (found.until, found.whole_until) == (date(2026, 11, 15), date(2026, 11, 14))
    assert found.outlooks[0].days == 13
    assert found.outlooks[0].bill_usd == pytest.approx(29 * 24 * A_CALL_USD, rel=0.02)


@pytest.mark.parametrize("days", [1, 2, 6])
def test_under_a_week_there_is_no_forecast(days, log_from):
    """What was spent is said, and what is lacking."""
    found = forecast(log_from(days), usd=1000)

    assert found.outlooks[0].bill_usd is None
    assert found.outlooks[0].spent_usd == pytest.approx(24 * days * A_CALL_USD)
    assert "too few for a forecast: it takes 7" in found.sentence
    assert found.outlooks[0].budget.reached_on is None


def test_a_month_that_is_over_is_known(log_from):
    """On its last day nothing is left to foretell but the week after it."""
    found = forecast(log_from(30, first=datetime(2026, 11, 1, tzinfo=UTC)))

    low, high, _ = found.outlooks[0].bill
    assert low == high == pytest.approx(found.outlooks[0].spent_usd)
    assert "and that is all of it" in found.sentence


def test_a_budget_is_reached_on_a_day(log_from):
    """As early and as late as the interval says; one that was is named by its day."""
    a_day = 24 * A_CALL_USD
    log = log_from(14)

    to_come = forecast(log, usd=20.5 * a_day).outlooks[0].budget
    over = forecast(log, usd=9.5 * a_day)
    never = forecast(log, usd=300 * a_day)

    assert to_come.earliest <= to_come.reached_on <= date(2026, 11, 23)
    assert to_come.reached_on >= date(2026, 11, 21) and to_come.chance > 0.9
    assert over.outlooks[0].budget.reached_on == date(2026, 11, 11)
    assert "is reached on 2026-11-11" in over.sentence
    assert never.outlooks[0].budget.reached_on is None
    assert "will most likely hold" in never.sentence


def test_a_budget_of_a_week_begins_on_monday(log_from):
    """On Sunday the week is over; on Wednesday it is not."""
    a_day = 24 * A_CALL_USD

    sunday = forecast(log_from(14), usd=7.5 * a_day, per="week").outlooks[0].budget
    wednesday = forecast(log_from(17), usd=5.5 * a_day, per="week").outlooks[0].budget
    today = forecast(log_from(17), usd=1.5 * a_day, per="day").outlooks[0].budget

    assert sunday.spent_usd == pytest.approx(7 * a_day) and sunday.chance == 0
    assert wednesday.spent_usd == pytest.approx(3 * a_day)
    assert wednesday.reached_on == date(2026, 11, 21)
    assert today.spent_usd == pytest.approx(a_day)


def test_groups_are_foretold_one_by_one(log_of, event, log_from):
    """Dearest of the month first, each with its org, on days of its own."""
    found = forecast(log_from(14, feature="a"), by=["feature", "model"])

    assert found.keys == ("org", "feature", "model")
    assert found.frame()["feature"].to_list() == ["a"]
    assert "org" not in found.in_full().split("\n")[1]


def test_days_are_those_of_the_time_zone(log_from):
    """The bill of November in Auckland begins half a day sooner."""
    first = datetime(2026, 10, 25, tzinfo=UTC)
    one, other = (
        forecast(log_from(14, first=first), tz=tz).outlooks[0].spent_usd
        for tz in ("UTC", "Pacific/Auckland")
    )

    assert other - one == pytest.approx(13 * A_CALL_USD)


def test_all_of_it_is_shown(log_from):
    """In a cell, in a terminal, and as plain numbers for a page."""
    found = forecast(log_from(14, feature="<b>"), by="feature", usd=1)

    assert "&lt;b&gt;" in found._repr_html_() and "<b>" not in found._repr_html_()
    assert "of what will be spent" in repr(found)
    told = forecast_payload(log_from(14), usd=1)
    assert told["bill_usd_low"] < told["bill_usd"] < told["bill_usd_high"]
    assert told["until"] == "2026-11-15" and told["sentence"] in repr(
        forecast(log_from(14), usd=1)
    )


def test_what_cannot_be_asked_is_said(log_from):
    """A budget below nothing, a confidence of a percentage, a period of nobody."""
    for asked in ({"usd": -1}, {"confidence": 90}, {"usd": 1, "per": "year"}):
        with pytest.raises(ConfigError):
            forecast(log_from(1), **asked)

"""What happened when."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from lectr_lab.analysis.views import cube
from lectr_lab.core.errors import LabError
from lectr_lab.core.pricing.price import UserPrice
from lectr_lab.dashboards.counted import count_log
from lectr_lab.dashboards.marks import MOST_MARKS, marks, moment

START = datetime(2026, 11, 2, 9, tzinfo=UTC)


def found(log, notes=(), **options):
    return marks(log, count_log(cube.needed(log), "UTC"), notes, **options)


def test_a_note_is_a_moment_and_a_word(log):
    """In the order of time, of any length, on one line; at most so many."""
    notes = [(START + timedelta(hours=2), "de\nploy"), (date(2026, 11, 2), "x" * 500)]

    first, second = found(log({}), notes)

    assert second == {
        "at": (START + timedelta(hours=2)).timestamp() * 1000,
        "text": "de<U+000A>ploy",
        "kind": "note",
    }
    assert len(first["text"]) <= 60
    assert len(found(log({}), [(START, "n")] * 90)) == MOST_MARKS


@pytest.mark.parametrize("note", [("now", "word"), (START, 7), (START,), 5])
def test_what_is_no_note_is_told(log, note):
    """And how one is written."""
    with pytest.raises(LabError, match="Write a sentence, or when and a word"):
        found(log({}), [note])


def test_a_moment_without_a_zone_is_one_of_the_page():
    """A moment with one stays what it is."""
    naive = datetime(2026, 11, 2, 9)

    assert moment(naive, "Asia/Tokyo") == START.replace(hour=0)
    assert moment(START, "Asia/Tokyo") == START


def test_another_price_of_a_used_model_is_a_mark(log):
    """From the day on which it holds, and only of what was used."""
    prices = [
        UserPrice(model="gpt-4o-mini", input_usd_per_mtok=Decimal(usd),
                  output_usd_per_mtok=Decimal(1), first_day=first, last_day=last)
        for usd, first, last in [(1, None, date(2026, 11, 2)), (2, date(2026, 11, 3), None)]
    ]  # fmt: skip
    days = [{"started_at": START + timedelta(days=n)} for n in range(4)]

    [mark] = found(log(*days), prices=prices)

    assert mark["kind"] == "price" and "gpt-4o-mini" in mark["text"]
    assert mark["at"] == datetime(2026, 11, 3, tzinfo=UTC).timestamp() * 1000
    assert (
        found(log(*[day | {"model_actual": "x"} for day in days]), prices=prices) == []
    )


def test_a_rule_that_began_is_a_mark(log):
    """Where it first changed a request; not one that was there from the beginning."""
    log = log({"rule": "old"}, {}, {"rule": "cheaper"}, {"rule": "cheaper"})

    [mark] = found(log)

    assert (mark["text"], mark["kind"]) == ("rule cheaper", "rule")
    assert mark["at"] == (START + timedelta(hours=2)).timestamp() * 1000


def test_an_empty_log_has_the_notes_alone(log):
    """It has no span in which anything could have changed."""
    assert [one["text"] for one in found(log(), [(START, "deploy")])] == ["deploy"]

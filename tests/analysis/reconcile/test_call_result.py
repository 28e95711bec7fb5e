"""What `reconcile` gives of two logs to a cell, and to a terminal."""

from datetime import UTC, datetime, timedelta

import pytest

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.reconcile.call_result import CAUSES
from lectr_lab.analysis.reconcile.calls import compare_calls
from lectr_lab.log.schema import frame


@pytest.fixture(scope="module")
def found(event):
    """A call that only the log has, and one that only the other has."""
    at = datetime(2026, 11, 2, tzinfo=UTC)
    one, other = (
        priced(frame([event(started_at=at, model_actual=m, input_tokens=n)]).lazy())
        for m, n in (("gpt-\x1b<b>", 1), ("gpt-4o-mini", 1000))
    )
    return compare_calls(one, other, within=timedelta(seconds=1))


def test_it_shows_each_call_and_the_sums(found):
    """In words below the table; nothing of a client's steers a terminal or a page."""
    for shown in (repr(found), found._repr_html_()):
        assert "only in the log" in shown and "The difference is" in shown
    assert "\x1b" not in repr(found)
    assert "<b>" not in found._repr_html_()


def test_causes_are_in_the_order_that_they_are_said_in(found):
    """With how many calls, and how many have no price."""
    rows = found.causes().to_dicts()

    assert [row["cause"] for row in rows] == ["only in the log", "only in the other"]
    assert [row["unpriced"] for row in rows] == [1, 0]
    assert {row["cause"] for row in rows} <= set(CAUSES)
    assert "1 of these have no known price" in found.in_short()

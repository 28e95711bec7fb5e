"""One run, request by request."""

from datetime import UTC, datetime, timedelta

import pytest

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.views.sessions import sessions
from lectr_lab.analysis.views.turns import found, turns
from lectr_lab.core.errors import LabError

START = datetime(2026, 11, 2, tzinfo=UTC)


@pytest.fixture
def run(log_of, event, failed):
    """A title, two turns of the main agent, one of a subagent at the same time, a failure
    with its retry, and a compaction."""

    def at(second, make=event, **fields):
        when = START + timedelta(seconds=second)
        return make(session="s", started_at=when, **({"total_ms": 1000.0} | fields))

    return priced(
        log_of(
            [
                at(9, turn_kind="compaction"),
                at(0, turn_kind="side_call", input_tokens=10, output_tokens=2),
                at(2, turn_kind="main", cache_read_tokens=300, cache_write_tokens=100),
                at(3.5, turn_kind="subagent", agent="a1", total_ms=3000.0),
                at(4, turn_kind="main", cache_read_tokens=900),
                at(7, failed, turn_kind="main"),
                at(8, turn_kind="main", retry_count=1),
                event(session="other"),
                event(),
                event(session="s", operation="models", input_tokens=None),
            ]
        )
    )


def test_requests_come_as_they_began_each_in_its_lane(run):
    """Whoever asked, and nothing that is not a call of this session."""
    rows = turns(run, "s").collect()

    lanes = ["side-call", "main", "a1", "main", "main", "main", "main"]
    assert rows["lane"].to_list() == lanes
    assert rows["request"].to_list() == list(range(1, 8))
    assert rows["failed"].to_list() == [False] * 4 + [True, False, False]
    assert rows["retried"].to_list() == [False] * 5 + [True, False]


def test_the_parts_of_the_input_add_up(run):
    """What was read, what was written and what is fresh."""
    rows = turns(run, "s").collect()

    parts = ["cache_read_tokens", "cache_write_tokens", "fresh_input_tokens"]
    assert rows.row(1, named=True)["fresh_input_tokens"] == 600
    assert rows.select(parts).sum_horizontal().to_list() == [
        *(10, 1000, 1000, 1000, 0, 1000, 1000)
    ]
    assert rows.select(parts).row(4) == (None, None, None)


def test_what_was_spent_so_far_ends_at_what_the_session_cost(run):
    """The line of the picture and the row of `sessions` are one figure."""
    rows = turns(run, "s").collect()

    row = sessions(run).filter(session="s").collect().row(0, named=True)
    assert rows["spent_usd"][-1] == pytest.approx(row["spend_usd"])
    assert (
        rows["spent_usd"].is_sorted() and rows["cost_usd"].max() == row["dearest_usd"]
    )
    assert rows["pause_ms"].max() == row["longest_pause_ms"] == 1000.0


def test_a_plan_is_drawn_at_list_price(log_of, event):
    """Nothing is billed, and something was used."""
    log = priced(log_of([event(session="s", credential="plan")]))

    [row] = turns(log, "s").collect().to_dicts()

    assert row["on_plan"] and row["cost_usd"] == row["spent_usd"] > 0


KNOWN = [("a", "3829a615-x"), ("a", "3829b000-y"), ("a", "s1"), ("b", "s1")]


@pytest.mark.parametrize(
    "wanted, org, expected",
    [
        ("3829a615-x", None, ("a", "3829a615-x")),
        ("3829b", None, ("a", "3829b000-y")),
        ("s1", "b", ("b", "s1")),
    ],
)
def test_a_session_is_found_by_its_beginning(wanted, org, expected):
    """As far as no other has it."""
    assert found(KNOWN, wanted, org) == expected


@pytest.mark.parametrize(
    "wanted, known, said",
    [
        ("s1", KNOWN, r"one of several orgs: a, b"),
        ("3829", KNOWN, r"2 sessions begin with 3829: 3829a615-x, 3829b000-y"),
        ("3829a651-x", KNOWN, r"No session 3829a651-x .*nearest: 3829a615-x"),
        ("", KNOWN, r"No session — .*latest: 3829a615-x"),
        ("qqqq", KNOWN, r"latest: 3829a615-x, 3829b000-y, s1"),
        ("s1", [], r"No request in this log names a session"),
        ("x\x1b[31m", KNOWN, r"No session x<U\+001B>\[31m"),
    ],
)
def test_what_is_not_found_is_said_with_what_is_near(wanted, known, said):
    """And nothing that steers a terminal."""
    with pytest.raises(LabError, match=said):
        found(known, wanted)

"""One row a session, and what one costs."""

import random
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.views import added_up
from lectr_lab.analysis.views import sessions as session_views
from lectr_lab.analysis.views.health import errors
from lectr_lab.analysis.views.sessions import (
    COLUMNS,
    cost_measures,
    costs_text,
    in_short,
    session_costs,
    sessions,
)
from lectr_lab.analysis.views.spend import spend

START = datetime(2026, 11, 2, tzinfo=UTC)


@pytest.fixture
def agent(log_of, event, failed):
    """A session of an agent as `lectr_lab` logs it, beside traffic without any."""

    def at(second, make=event, **fields):
        fields = {"total_ms": 1000.0, "client": "claude-code"} | fields
        return make(session="s", started_at=START + timedelta(seconds=second), **fields)

    return priced(
        log_of(
            [
                at(0, turn_kind="side_call", model_actual="gpt-4o-2024-08-06"),
                at(1, turn_kind="main", cache_read_tokens=500, feature="fix"),
                at(3, turn_kind="subagent", agent="a1", parent_agent="root"),
                at(4, turn_kind="subagent", agent="a2", total_ms=20_000.0),
                at(5, failed, turn_kind="main", status=529),
                at(6, turn_kind="main", input_tokens=9000, retry_count=1),
                at(40, turn_kind="compaction", input_tokens=9500),
                at(50, turn_kind="main", input_tokens=700, outcome="ok"),
                at(60, turn_kind="main", outcome="client_disconnect"),
                event(),
                event(session=""),
                event(session="s", operation="count_tokens", input_tokens=None),
            ]
        )
    )


def test_a_session_is_one_row(agent):
    """Who, when, how much; each count by its own rule."""
    [row] = sessions(agent).collect().to_dicts()

    assert list(row) == COLUMNS
    assert (row["session"], row["client"], row["feature"]) == (
        "s",
        "claude-code",
        "untagged",
    )
    assert (row["requests"], row["turns"], row["agents"]) == (9, 4, 3)
    assert (row["errors"], row["retries"], row["compactions"]) == (1, 1, 1)
    assert row["models"] == ["gpt-4o-2024-08-06", "gpt-4o-mini-2024-07-18"]
    assert (row["started_at"], row["length_ms"]) == (START, 61_000.0)
    assert row["context_tokens"] == 700
    assert row["cache_share"] == pytest.approx(500 / row["input_tokens"])
    assert row["dearest_started_at"] == START
    assert row["longest_pause_ms"] == 16_000.0  # 24 s to 40 s: a2 ran until 24 s


def test_sessions_agree_with_every_other_view(agent):
    """Spend, requests, errors and retries are those of `by="session"`."""
    row = sessions(agent).collect().row(0, named=True)

    money = spend(agent, "session").filter(session="s").collect().row(0, named=True)
    health = errors(agent, "session").filter(session="s").collect().row(0, named=True)
    for name in ("requests", "spend_usd", "unpriced", "uncounted", "estimated"):
        assert row[name] == pytest.approx(money[name]), name
    for name in ("requests", "errors", "retries"):
        assert row[name] == health[name], name


def test_the_dearest_is_first_and_one_org_stands_alone(log_of, event):
    """Two orgs' sessions of one name are two; an unknown cost is last, and not 0."""
    log = priced(
        log_of(
            [
                event(org="a", session="x"),
                event(org="b", session="x", input_tokens=9000),
                event(org="a", session="odd", model_actual="our-own"),
            ]
        )
    )

    found = sessions(log).collect()

    assert found.select("org", "session").rows() == [
        *(("b", "x"), ("a", "x"), ("a", "odd"))
    ]
    assert found["spend_usd"][2] is None
    alone = sessions(log, org="b").collect()
    assert alone.columns == COLUMNS[1:] and alone.height == 1


def test_a_session_of_one_request_has_no_pause(log_of, event):
    """Nor has one whose requests overlap a pause above 0."""
    log = log_of([event(session="x"), event(session="y"), event(session="y")])

    found = dict(
        sessions(priced(log)).select("session", "longest_pause_ms").collect().rows()
    )

    assert found == {"x": None, "y": 0.0}


def test_an_empty_log_has_no_sessions(log_of):
    """Nor has one in which nobody names any."""
    log = priced(log_of([]))

    assert sessions(log).collect().columns == COLUMNS
    assert sessions(log, by=["client", "feature"]).collect().is_empty()
    assert sessions(log, infer_sessions=True).collect().is_empty()


def made_up(event, seed, n):
    """Sessions of random sizes, agents and outcomes."""
    rng = random.Random(seed)
    for i in range(n):
        yield event(
            event_id=rng.randbytes(16),
            session=rng.choice(["a", "b", "c", None]),
            client=rng.choice(["codex", None]),
            org=rng.choice(["o1", "o2"]),
            agent=rng.choice(["x", None]),
            turn_kind=rng.choice(["main", "subagent", None]),
            started_at=START + timedelta(seconds=rng.random() * 1000),
            total_ms=rng.random() * 20_000,
            input_tokens=rng.choice([None, 10, 1000 + i]),
            model_actual=rng.choice(["gpt-4o-mini-2024-07-18", "our-own"]),
            retry_of_failed=rng.choice([True, None]),
            credential=rng.choice(["plan", "api_key"]),
        )


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), n=st.integers(0, 60))
def test_all_sessions_together_are_what_names_one(event, log_of, seed, n):
    """No request, dollar or token is lost or doubled, however it is grouped."""
    log = priced(log_of(made_up(event, seed, n)))
    named = log.filter(pl.col("session").is_not_null())

    found = sessions(log).collect()
    per_client = sessions(log, by="client").collect()

    own = named.select(requests=pl.len(), usd=pl.col("cost_usd").sum()).collect()
    assert found["requests"].sum() == own["requests"].item()
    assert found["spend_usd"].sum() == pytest.approx(own["usd"].item())
    assert per_client["spend_usd"].sum() == pytest.approx(own["usd"].item())
    assert found.height == named.select("org", "session").unique().collect().height


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 40))
def test_the_longest_pause_is_that_of_a_plain_loop(event, log_of, seed, n):
    """Whatever overlaps: the longest time in which nothing ran."""
    log = log_of(made_up(event, seed, n))

    found = sessions(priced(log)).select("org", "session", "longest_pause_ms").collect()

    rows = log.drop_nulls("session").sort("started_at").collect()
    longest: dict[tuple[str, str], float | None] = {}
    until: dict[tuple[str, str], datetime] = {}
    for row in rows.iter_rows(named=True):
        key = row["org"], row["session"]
        took = timedelta(microseconds=int(row["total_ms"] * 1000))
        if key in until:
            gap_ms = max(
                (row["started_at"] - until[key]) / timedelta(milliseconds=1), 0
            )
            longest[key] = max(longest[key] or 0.0, gap_ms)
        else:
            longest[key] = None
        until[key] = max(until.get(key, START), row["started_at"] + took)
    assert {row[:2]: row[2] for row in found.rows()} == {
        key: None if ms is None else pytest.approx(ms) for key, ms in longest.items()
    }


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6), n=st.integers(0, 60), rows=st.integers(1, 20))
def test_many_rows_are_added_up_in_batches(event, log_of, seed, n, rows):
    """To the same sessions and the same costs, to the bit, whatever a batch holds."""
    log = priced(log_of(made_up(event, seed, n)))
    whole = [sessions(log).collect(), sessions(log, "client").collect()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session_views, "_MOST_AT_ONCE", 7)
        patch.setattr(added_up, "BATCH_ROWS", rows)
        patch.setattr(added_up, "_MOST_WAITING", rows)
        parts = [sessions(log).collect(), sessions(log, "client").collect()]

    for found, wanted in zip(parts, whole, strict=True):
        assert_frame_equal(found, wanted, check_exact=True)


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6), n=st.integers(0, 60))
def test_what_sessions_cost_is_told_without_the_rest(event, log_of, seed, n):
    """In the same order, to the bit."""
    log = priced(log_of(made_up(event, seed, n)))

    found, whole = session_costs(log).collect(), sessions(log).collect()

    names = ["org", "session", "requests", "spend_usd", "plan_usd", "unpriced"]
    assert_frame_equal(found.select(names), whole.select(names), check_exact=True)
    assert found.select(cost_measures()).equals(whole.select(cost_measures()))


def test_the_first_of_the_dearest_is_named(event, log_of):
    """Where several cost as much, whichever was read first."""
    again = [
        event(session="x", started_at=START + timedelta(seconds=s)) for s in (7, 2, 5)
    ]

    found = sessions(priced(log_of(again))).collect()

    assert found["dearest_started_at"].item() == START + timedelta(seconds=2)


def test_what_one_costs_rests_on_those_whose_cost_is_known(log_of, event):
    """Of each client: mean with its interval, median and p95 over complete sessions."""
    events = [
        event(session=f"s{n}", client="codex", input_tokens=1000 * n)
        for n in range(1, 9)
    ]
    events += [
        event(session="s1", client="curl"),
        event(session="odd", client="codex", model_actual="our-own"),
        event(session="odd", client="codex"),
        event(session="paid", client="codex", credential="plan"),
    ]

    codex, curl = sessions(priced(log_of(events)), by="client").collect().to_dicts()

    assert (codex["sessions"], codex["priced"]) == (10, 8)
    assert (codex["incomplete"], codex["on_plan"]) == (1, 1)
    each = [0.15 * n / 1000 + 0.3 / 1000 for n in range(1, 9)]
    assert codex["mean_usd"] == pytest.approx(sum(each) / 8)
    assert codex["mean_low_usd"] < codex["mean_usd"] < codex["mean_high_usd"]
    assert codex["median_usd"] == pytest.approx((each[3] + each[4]) / 2)
    assert codex["plan_usd"] > 0 and codex["spend_usd"] > sum(each)
    assert (curl["sessions"], curl["mean_low_usd"]) == (1, None)


def test_the_sentence_says_what_a_session_costs_and_what_is_not_known(agent):
    """And where no session is, how to have some."""
    costs = sessions(agent).select(cost_measures()).collect().row(0, named=True)
    none = sessions(agent.filter(pl.lit(False))).select(cost_measures()).collect()

    assert costs_text(costs).startswith("A session costs $0.0")
    assert "X-Lectr-Session" in costs_text(none.row(0, named=True))


def test_columns_that_say_nothing_are_not_shown(agent):
    """No column of dashes or zeros, and no org where it is one."""
    shown = in_short(sessions(agent).collect())

    assert "org" not in shown.columns and "plan_usd" not in shown.columns
    assert {"session", "spend_usd", "errors"} <= set(shown.columns)


def test_sessions_can_be_guessed(log_of, event):
    """Two requests of which one holds the other, by nobody's name."""
    one = {"message_count": 1, "prompt_chars": 100, "output_chars": 50}
    two = {"message_count": 3, "prompt_chars": 200, "output_chars": 60}
    log = priced(
        log_of(
            [
                event(event_id=bytes(16), **one),
                event(
                    event_id=bytes([1] * 16),
                    started_at=START + timedelta(seconds=9),
                    **two,
                ),
            ]
        )
    )

    assert sessions(log).collect().is_empty()
    [row] = sessions(log, infer_sessions=True).collect().to_dicts()
    assert row["session"].startswith("inferred-") and row["requests"] == 2

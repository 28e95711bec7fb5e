"""Sessions that no client named."""

import random
from datetime import UTC, datetime, timedelta

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.analysis.views.inferred_sessions import PREFIX, with_inferred
from lectr_lab.log.schema import frame

START = datetime(2026, 11, 2, tzinfo=UTC)


def a_chat(event, number, turns, start, step_s=60.0, **fields):
    """Its requests: each holds the one before and its answer."""
    rng = random.Random(number)
    chars = 2000 + 900 * number
    for turn in range(turns):
        answer = rng.randrange(50, 400)
        yield event(
            event_id=bytes([7, *fields.get("mark", b"")]).ljust(8, b"\0")
            + number.to_bytes(4, "big")
            + turn.to_bytes(4, "big"),
            started_at=start + timedelta(seconds=turn * step_s),
            message_count=2 + 2 * turn,
            system_chars=1500,
            prompt_chars=chars,
            output_chars=answer,
            **{name: value for name, value in fields.items() if name != "mark"},
        )
        chars += answer + rng.randrange(10, 90)


def found(events):
    """The turns of each session that was found, as numbers of the chats."""
    log = with_inferred(frame(sorted(events, key=lambda e: e.started_at)).lazy())
    rows = log.select("session", "event_id").collect().rows()
    told: dict[str | None, list[bytes]] = {}
    for session, event_id in rows:
        told.setdefault(session, []).append(event_id)
    return told


def test_a_chat_that_grows_is_a_session(event):
    """Its name is made of the first request's id, and begins as it should."""
    told = found(a_chat(event, 1, 4, START))

    [(session, ids)] = told.items()
    assert session.startswith(PREFIX) and len(ids) == 4


def test_two_at_once_are_told_apart(event):
    """By what each prompt can hold."""
    chats = [*a_chat(event, 1, 5, START), *a_chat(event, 9, 5, START)]

    told = found(chats)

    assert sorted(len(ids) for ids in told.values()) == [5, 5]
    assert all(len({i[8:12] for i in ids}) == 1 for ids in told.values())


@pytest.mark.parametrize(
    "fields", [{"feature": "b"}, {"client": "curl"}, {"user": "u"}, {"org": "b"}]
)
def test_nobody_goes_on_with_the_session_of_another(event, fields):
    """Another feature, client, user or org is another session."""
    one = list(a_chat(event, 1, 2, START))
    other = list(a_chat(event, 1, 4, START, **fields))[2:]

    told = found([*one, *other])

    assert sorted(len(ids) for ids in told.values()) == [2, 2]


def test_a_long_pause_ends_a_session(event):
    """Half an hour and more."""
    assert None in found(a_chat(event, 1, 3, START, step_s=1900.0))
    assert None not in found(a_chat(event, 1, 3, START, step_s=1700.0))


def test_what_runs_at_the_same_time_is_not_a_next_turn(event):
    """An answer has to be there before it can be sent back."""
    chat = [*a_chat(event, 1, 2, START, step_s=5.0, total_ms=60_000.0)]

    assert set(found(chat)) == {None}


def test_of_two_that_come_as_near_neither_is_taken(event):
    """A guess that would be as good as none is none."""
    twins = [*a_chat(event, 1, 1, START), *a_chat(event, 1, 2, START, mark=b"x")]

    told = found([msgspec.structs.replace(e, output_chars=60) for e in twins])

    assert set(told) == {None}


def test_what_the_proxy_saw_goes_before_lengths(event):
    """Two alike: the one that began as long ago as the prefix says."""
    one, [first, second] = (
        a_chat(event, 1, 1, START),
        a_chat(event, 1, 2, START, mark=b"x"),
    )
    later = msgspec.structs.replace(
        first, started_at=first.started_at + timedelta(seconds=7)
    )
    sure = msgspec.structs.replace(second, idle_s=53.0)

    told = found([*one, later, sure])

    [session] = [ids for name, ids in told.items() if name is not None]
    assert session == [later.event_id, sure.event_id]


def test_what_is_seen_to_be_the_first_begins_a_session(event):
    """Whatever was there before."""
    one = list(a_chat(event, 1, 2, START))
    other = list(a_chat(event, 1, 4, START, mark=b"x"))[2:]
    first = msgspec.structs.replace(other[0], prefix_break="first")

    assert sorted(map(len, found([*one, *other]).values())) == [4]
    assert sorted(map(len, found([*one, first, other[1]]).values())) == [2, 2]


def test_single_calls_are_no_session(event):
    """A classifier's calls, however alike they are."""
    calls = [
        event(
            event_id=n.to_bytes(16, "big"),
            started_at=START + timedelta(seconds=n),
            message_count=2,
            prompt_chars=1000 + n,
            output_chars=5,
        )
        for n in range(200)
    ]

    assert set(found(calls)) == {None}


def test_what_has_a_session_keeps_it(event):
    """A guess never goes before what a client said."""
    chat = list(a_chat(event, 1, 3, START, session="own"))

    assert set(found(chat)) == {"own"}


def test_what_is_not_known_is_not_guessed(event):
    """No lengths, no session; and an empty log has none."""
    calls = [event(event_id=bytes([n] * 16)) for n in range(3)]

    assert set(found(calls)) == {None}
    assert with_inferred(frame([]).lazy()).collect().is_empty()


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), chats=st.integers(1, 12))
def test_rows_stay_as_they_are(event, seed, chats):
    """Every column but the session, in every order; no row is lost or doubled."""
    rng = random.Random(seed)
    events = [
        one
        for n in range(chats)
        for one in a_chat(
            event, n, rng.randrange(1, 6), START + timedelta(seconds=rng.random() * 900)
        )
    ]
    log = frame(events).lazy()

    told = with_inferred(log).collect()

    assert told.drop("session").equals(log.collect().drop("session"))
    sizes = told.drop_nulls("session")["session"].value_counts()["count"]
    assert (sizes >= 2).all()


def test_many_that_are_open_at_once_take_little_time(event):
    """As many steps a request, however many wait."""
    n = 20_000
    log = pl.LazyFrame(
        {
            "event_id": [i.to_bytes(16, "big") for i in range(n)],
            "started_at": [START + timedelta(milliseconds=10 * i) for i in range(n)],
            "prompt_chars": [1000 + i % 997 for i in range(n)],
        }
    )
    blank = frame([event()]).lazy().drop("event_id", "started_at", "prompt_chars")
    whole = log.join(blank, how="cross").with_columns(
        message_count=pl.lit(4, pl.Int64), output_chars=pl.lit(10, pl.Int64)
    )

    told = with_inferred(whole).select("session").collect()

    assert told.height == n

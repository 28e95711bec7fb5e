"""Two logs of the same calls: which is which, and where they differ."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.reconcile.calls import compare_calls
from lectr_lab.log.schema import frame

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
USD = 0.00045  # of 1,000 tokens in and 500 out


def compared(ours, theirs, within=MINUTE):
    one, other = (priced(frame(list(events)).lazy()) for events in (ours, theirs))
    return compare_calls(one, other, within=within)


def causes(found):
    return {row["cause"]: row["calls"] for row in found.causes().to_dicts()}


def test_the_same_calls_do_not_differ(event):
    """By the reply's id, by the request's, or by time and counts."""
    one = [
        event(started_at=NOON, provider_response_id="r", total_ms=1.0),
        event(started_at=NOON, provider_request_id="q", output_tokens=7),
        event(started_at=NOON, output_tokens=8),
    ]
    later = NOON + timedelta(seconds=20)
    other = [
        event(started_at=later, provider_response_id="r"),
        event(started_at=later, provider_request_id="q", output_tokens=7),
        event(started_at=later, output_tokens=8),
    ]

    found = compared(one, other)

    assert found.differences.is_empty() and "the same ones" in found.in_short()
    assert dict(found.matched.iter_rows()) == {
        "provider_request_id": 1,
        "provider_response_id": 1,
        "time and counts": 1,
    }


@pytest.mark.parametrize(
    "theirs, cause, usd",
    [
        ({"output_tokens": 1500}, "counted differently", 0.0006),
        ({"cache_read_tokens": 1000}, "counted differently", -0.000075),
        ({"model_actual": "gpt-4o-2024-08-06"}, "another model", 0.0075 - USD),
        ({"service_tier": "batch"}, "another service tier", -USD / 2),
        ({"model_actual": "nobody-knows"}, "another model", None),
    ],
)
def test_a_call_that_differs_has_its_cause_and_amount(event, theirs, cause, usd):
    """Of the same id."""
    same = {"started_at": NOON, "provider_response_id": "r"}

    [row] = compared([event(**same)], [event(**same | theirs)]).frame().to_dicts()

    assert (row["cause"], row["id"]) == (cause, "r")
    assert row["difference_usd"] == (None if usd is None else pytest.approx(usd))


def test_another_name_of_a_model_at_one_price_is_no_difference(event):
    """A dated name and one that is not."""
    same = {"started_at": NOON, "provider_response_id": "r"}

    found = compared([event(**same)], [event(**same, model_actual="gpt-4o-mini")])

    assert found.differences.is_empty()


def test_what_one_side_alone_has_is_said(event):
    """With its whole amount, and its sign."""
    found = compared(
        [event(started_at=NOON, provider_response_id="a")],
        [event(started_at=NOON, provider_response_id="b", output_tokens=1)],
    )

    assert causes(found) == {"only in the log": 1, "only in the other": 1}
    by = {row["cause"]: row["difference_usd"] for row in found.frame().to_dicts()}
    assert by["only in the log"] == pytest.approx(-USD)
    assert by["only in the other"] > 0


def test_what_is_repeated_counts_once_and_is_said(event):
    """A transcript that begins with another's history; the fullest row is the call."""
    same = {"started_at": NOON, "provider_response_id": "r"}
    partial = event(**same, output_tokens=1)

    found = compared([event(**same)], [partial, *[event(**same)] * 3])

    assert causes(found) == {"twice in the other": 3}
    assert found.calls == (1, 4)


def test_an_id_that_a_local_server_gives_to_all_is_no_repeat(event):
    """Their input tells them apart."""
    calls = [
        event(started_at=NOON, provider_response_id="chatcmpl-0", input_tokens=n)
        for n in range(1, 5)
    ]

    assert compared(calls, calls).differences.is_empty()


@pytest.mark.parametrize("seconds, same", [(59, True), (61, False), (-59, True)])
def test_without_an_id_times_must_be_near(event, seconds, same):
    """Before its beginning or after its end."""
    other = event(started_at=NOON + timedelta(seconds=seconds))

    found = compared([event(started_at=NOON, total_ms=1.0)], [other])

    assert found.differences.is_empty() == same


@pytest.mark.parametrize(
    "theirs, by",
    [
        ({"output_tokens": 7}, "time and input"),
        ({"input_tokens": 7}, "time and output"),
        ({"output_tokens": 7, "provider_response_id": "r"}, "time and input"),
    ],
)
def test_what_is_counted_differently_is_found_without_ids(event, theirs, by):
    """By what is the same of it; unless both have ids, which tell them apart."""
    found = compared([event(started_at=NOON)], [event(started_at=NOON, **theirs)])
    apart = compared(
        [event(started_at=NOON, provider_response_id="q")],
        [event(started_at=NOON, **theirs | {"provider_response_id": "r"})],
    )

    assert causes(found) == {"counted differently": 1}
    assert found.frame()["matched_by"].item() == by
    assert causes(apart) == {"only in the log": 1, "only in the other": 1}


def test_a_long_call_may_be_noted_at_its_end(event):
    """As transcripts do."""
    ours = event(started_at=NOON, total_ms=600_000.0)

    found = compared([ours], [event(started_at=NOON + timedelta(minutes=10))])

    assert found.differences.is_empty()


def test_only_days_that_both_have_are_compared(event):
    """A log that began later lacks nothing of before."""
    days = [event(started_at=NOON + timedelta(days=d)) for d in range(4)]

    found = compared(days[1:], days[:3])

    assert found.differences.is_empty() and found.calls == (2, 2)


def test_what_a_plan_covered_is_compared_at_list_price(event):
    """A transcript does not know of plans."""
    same = {"started_at": NOON, "provider_response_id": "r"}

    found = compared([event(**same, credential="plan")], [event(**same)])

    assert found.differences.is_empty() and found.usd[0] == pytest.approx(USD)


def test_failures_and_other_requests_are_no_calls(event, failed):
    """Neither side is asked for them."""
    others = [
        failed(started_at=NOON),
        event(started_at=NOON, operation="models", input_tokens=None),
    ]

    assert compared(
        [event(started_at=NOON), *others], [event(started_at=NOON)]
    ).calls == (1, 1)


def test_empty_logs_compare(event):
    """With each other, and with one that is not."""
    assert "Neither" in compared([], []).in_short()
    assert causes(compared([event(started_at=NOON)], [])) == {"only in the log": 1}


CALLS = st.lists(
    st.tuples(
        st.sampled_from([None, "a", "b", "c"]),
        st.integers(0, 300),
        st.integers(1, 3),
        st.integers(0, 3),
        st.sampled_from(["gpt-4o-mini", "gpt-4o"]),
    ),
    max_size=8,
)


@settings(max_examples=100, deadline=None)
@given(ours=CALLS, theirs=CALLS)
def test_the_differences_add_up_to_the_difference(event, ours, theirs):
    """Whatever the two logs have, every call counts once; the other way round, too."""
    logs = [
        [
            event(
                started_at=NOON + timedelta(seconds=s),
                provider_response_id=id_,
                input_tokens=i,
                output_tokens=o,
                model_actual=model,
            )
            for id_, s, i, o, model in calls
        ]
        for calls in (ours, theirs)
    ]

    found, back = compared(*logs), compared(*logs[::-1])

    for one, (mine, others) in ((found, logs), (back, logs[::-1])):
        assert one.calls == (len(mine), len(others))
        whole = one.frame()["difference_usd"].sum()
        assert whole == pytest.approx(one.usd[1] - one.usd[0], abs=1e-12)
    assert found.usd == pytest.approx(back.usd[::-1])


def test_many_calls_are_compared(event):
    """Without ids, in seconds."""
    n = 100_000
    log = priced(frame([event(started_at=NOON)]).lazy()).collect()
    many = pl.concat([log] * n).with_columns(
        started_at=pl.Series(range(n)).cast(pl.Duration("ms")) + NOON,
        input_tokens=pl.Series(range(n)) % 1000 + 1,
    )

    found = compare_calls(many.lazy(), many.lazy(), within=MINUTE)

    assert found.differences.is_empty() and found.calls == (n, n)

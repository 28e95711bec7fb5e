"""Rows priced again with another cache: exact, and nothing but the cache is changed."""

from itertools import product

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.views.cache_dollars import with_dollars
from lectr_lab.analysis.views.cache_misses import PARTS, with_misses
from lectr_lab.core.pricing.price import UserPrice

OPUS = dict.fromkeys(
    ("model_requested", "model_sent", "model_actual"), "claude-opus-5-5"
)
OPUS |= {"provider": "anthropic", "operation": "messages"}
# Dollars per token: input 4, written 5, written for an hour 8, read 0.2 a million.
MISSED = {
    "prompt_chars": 1_000_000,
    "prefix_chars": 900_000,
    "prefix_kept_chars": 900_000,
    "prefix_break": "none",
    "input_tokens": 1_000_000,
    "cache_read_tokens": 0,
    "cache_write_tokens": 1_000_000,
    "cache_write_1h_tokens": 0,
    "idle_s": 600.0,
}
usd = st.integers(0, 10_000)


@pytest.fixture
def dollars(event, log_of):
    """One row with its dollars."""

    def dollars_of(prices=None, **fields):
        log = log_of([event(**OPUS | MISSED | fields)])
        found = with_dollars(with_misses(priced(log, prices)), prices).collect()
        return found.to_dicts()[0]

    return dollars_of


def test_what_a_pause_cost_and_an_hour_would_have(dollars):
    """Written again for 5 dollars, where it could have been read for 0.2."""
    row = dollars()

    assert row["saved_usd"] == pytest.approx(4.0 - 5.0)
    assert row["lost_kept_usd"] == pytest.approx(0.9 * (5.0 - 0.2))
    assert row["lost_changed_usd"] == row["lost_unmarked_usd"] == 0
    assert row["longer_saves_usd"] == pytest.approx(0.9 * (5.0 - 0.2))
    assert row["longer_costs_usd"] == pytest.approx(0.1 * (8.0 - 5.0))


def test_what_is_kept_for_an_hour_is_read_first(dollars):
    """It stands before the rest: its price is what is saved."""
    row = dollars(cache_write_1h_tokens=1_000_000, idle_s=4_000.0)

    assert row["lost_kept_usd"] == pytest.approx(0.9 * (8.0 - 0.2))
    assert row["longer_saves_usd"] == row["longer_costs_usd"] == 0


def test_what_was_not_marked_was_plain_input(dollars):
    """Bought for 4 dollars."""
    row = dollars(cache_write_tokens=0)

    assert row["lost_unmarked_usd"] == pytest.approx(0.9 * (4.0 - 0.2))


def test_the_rows_are_as_they_were(dollars, event, log_of):
    """Every column of the log, and its cost."""
    row = dollars()
    [before] = priced(log_of([event(**OPUS | MISSED)])).collect().to_dicts()

    assert {name: row[name] for name in before} == before
    assert not [name for name in row if name.startswith("_")]


def test_what_a_plan_covers_is_at_list_price(dollars):
    """It costs nothing more, and still shows what is wasted of it."""
    row = dollars(credential="plan")

    assert row["cost_usd"] == 0
    assert row["lost_kept_usd"] == pytest.approx(0.9 * 4.8)


def test_prices_of_ones_own_hold_where_they_are_given(event, log_of):
    """Without them, what they priced is not priced by the list's."""
    own = (
        UserPrice(
            model="*",
            input_usd_per_mtok=10,
            output_usd_per_mtok=0,
            cache_read_usd_per_mtok=1,
            cache_write_usd_per_mtok=10,
        ),
    )
    log = with_misses(priced(log_of([event(**OPUS | MISSED)]), own))

    [with_own] = with_dollars(log, own).collect()["lost_kept_usd"]
    [without] = with_dollars(log).collect()["lost_kept_usd"]
    assert with_own == pytest.approx(0.9 * 9)
    assert without is None


def test_what_has_no_price_has_no_dollars(dollars):
    """Null, never 0."""
    row = dollars(
        model_actual="our-own", model_sent="our-own", model_requested="our-own"
    )

    assert {row[f"lost_{part}_usd"] for part in PARTS} == {None}
    assert row["saved_usd"] is None


@given(
    read=st.integers(0, 500_000),
    written=st.integers(0, 500_000),
    kept=st.integers(0, 1_000_000),
    idle_s=st.floats(0, 10_000),
    cause=st.sampled_from(
        ["none", "tools", "system", "history", "model", "parameters"]
    ),
)
def test_the_parts_are_the_difference_to_a_full_hit(
    event, log_of, read, written, kept, idle_s, cause
):
    """The law: all that is missed, read at once, costs what the parts say less."""
    one = event(
        **OPUS
        | MISSED
        | {
            "cache_read_tokens": read,
            "cache_write_tokens": written,
            "prefix_kept_chars": kept,
            "prefix_break": cause,
            "idle_s": idle_s,
        }
    )
    [row] = with_dollars(with_misses(priced(log_of([one])))).collect().to_dicts()
    missed = sum(row[f"missed_{part}"] for part in PARTS)
    marked = min(missed, written)
    hit = one.__class__(
        **{name: getattr(one, name) for name in one.__struct_fields__}
        | {"cache_read_tokens": read + missed, "cache_write_tokens": written - marked}
    )
    [full] = priced(log_of([hit])).collect()["cost_usd"]

    lost = sum(row[f"lost_{part}_usd"] for part in PARTS)
    assert row["cost_usd"] - full == pytest.approx(lost, abs=1e-9)


def test_rows_together_have_the_dollars_of_each(event, log_of):
    """Most of a batch keep their counts and their cost: none gets that of another."""
    requests = product(
        [OPUS, {}, dict.fromkeys(OPUS, "our-own"), {"credential": "plan"}],
        [None, 0, 400_000],
        [None, 300_000],
        [0, 900_000],
    )
    events = [
        event(
            **MISSED
            | how
            | {"cache_read_tokens": read, "cache_write_tokens": written}
            | {"prefix_kept_chars": kept}
        )
        for how, read, written, kept in requests
    ]
    rows = with_misses(priced(log_of(events))).collect()

    each = [with_dollars(rows[i : i + 1].lazy()) for i in range(rows.height)]
    together = with_dollars(rows.lazy())

    assert together.collect().equals(pl.concat(pl.collect_all(each)))

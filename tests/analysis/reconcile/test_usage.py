"""The log beside a provider's own counts."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.reconcile.exports.read import Export
from lectr_lab.analysis.reconcile.exports.shape import Charged, Dimensions, Used
from lectr_lab.analysis.reconcile.sides import counted
from lectr_lab.analysis.reconcile.usage import ALL_MODELS, PARTS, differences
from lectr_lab.log.schema import frame

DAY = date(2026, 11, 2)
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
MODEL = "gpt-4o-mini-2024-07-18"  # 0.15 and 0.60 USD a million, cached 0.075


def used(
    requests=2, tokens=2000, cached=0, output=1000, model=MODEL, day=DAY, **dimensions
):
    counts = {
        "input_tokens": tokens,
        "cache_read_tokens": cached,
        "output_tokens": output,
    }
    return Used(day, model, requests, counts, Dimensions(**dimensions))


def compared(events, export, **others):
    log = priced(frame(events).lazy())
    return differences(counted(log, export).collect(), export, **others)


@pytest.fixture
def two(event):
    """1,000 tokens in and 500 out, twice: $0.0009."""
    return [event(started_at=NOON) for _ in range(2)]


def test_a_log_that_agrees_has_no_difference(two):
    """Nothing missing, and both amounts the same."""
    row = compared(two, Export("openai", (used(),))).row(0, named=True)

    assert (row["rows_missing"], row["input_tokens_missing"]) == (0, 0)
    assert (row["rows_usd"], row["tokens_usd"], row["price_usd"]) == (0, 0, None)
    assert row["their_usd"] == row["our_usd"] == pytest.approx(0.0009)


def test_rows_that_the_log_lacks_cost_what_a_request_costs(two):
    """Two of four are missing: half of the export's amount."""
    row = compared(two, Export("openai", (used(4, 4000, 0, 2000),))).row(0, named=True)

    assert row["rows_missing"] == 2
    assert row["rows_usd"] == pytest.approx(0.0009)
    assert row["tokens_usd"] == pytest.approx(0)


def test_tokens_counted_differently_have_an_amount(two):
    """As many requests, 1,000 output tokens more: $0.0006; cached ones less."""
    more = Export("openai", (used(output=2000),))
    cached = Export("openai", (used(cached=1000),))

    assert compared(two, more)["tokens_usd"].item() == pytest.approx(0.0006)
    assert compared(two, cached)["tokens_usd"].item() == pytest.approx(-0.000075)


def test_another_price_has_an_amount(two):
    """What was charged beyond our price, with a cost export."""
    charged = [Charged(DAY, MODEL, 0.001), Charged(DAY, MODEL, 0.0004)]

    found = compared(two, Export("openai", (used(),)), charged=charged)

    assert found["price_usd"].item() == pytest.approx(0.0005)
    assert found["their_usd"].item() == pytest.approx(0.0014)


def test_all_that_was_charged_adds_up(event):
    """Under the Console's names of models, and for something else than tokens."""
    names = ["claude-3-5-haiku-20241022", "claude-sonnet-4-5-20250929"]
    log = [event(started_at=NOON, provider="anthropic", model_actual=n) for n in names]
    lines = {"Claude Haiku 3.5": 0.5, "Claude Sonnet 4.5": 0.25, "other": 0.125}
    usage = tuple(used(None, 1000, 0, 500, model=name) for name in names)
    charged = [Charged(DAY, name, usd) for name, usd in lines.items()]

    found = compared(
        log, Export("anthropic", usage, days=frozenset({DAY})), charged=charged
    )

    assert dict(found.select("model", "their_usd").iter_rows()) == {
        **dict(zip(names, [0.5, 0.25], strict=True)),
        "other": 0.125,
    }
    parts = found.select(pl.sum_horizontal(PARTS))
    assert (parts.to_series() + found["our_usd"]).sum() == pytest.approx(0.875)


def test_a_day_on_which_the_provider_saw_nothing_is_compared(two):
    """It is one of the export's; what the log has on it is beyond the export."""
    days = frozenset({DAY, DAY - timedelta(days=1)})
    export = Export("openai", (used(day=DAY - timedelta(days=1)),), days=days)

    assert set(compared(two, export)["rows_missing"]) == {2, -2}


def test_days_and_models_stand_apart_and_what_only_one_side_has_is_there(event, two):
    """Largest amount first; a day outside the export is not compared."""
    other = event(started_at=NOON, model_actual="gpt-4o-2024-08-06")
    late = event(started_at=NOON + timedelta(days=1))
    export = Export("openai", (used(), used(model="gpt-5")))

    found = compared([*two, other, late], export)

    assert found["model"].to_list() == ["gpt-5", "gpt-4o-2024-08-06", MODEL]
    assert found["rows_missing"].to_list() == [2, -1, 0]
    assert found["rows_usd"][0] == found["their_usd"][0] > 0
    assert found["rows_usd"][1] == pytest.approx(-found["our_usd"][1])


def test_failures_and_other_providers_are_not_billed(event, failed, two):
    """They are no rows of the export's."""
    others = [failed(started_at=NOON), event(started_at=NOON, provider="groq")]

    assert compared([*two, *others], Export("openai", (used(),))).height == 1


def test_what_a_plan_covered_and_what_is_no_call_are_not_in_an_export(event, two):
    """Neither is billed by the token."""
    plan = event(started_at=NOON, credential="plan")
    looked = event(
        started_at=NOON, operation="count_tokens", input_tokens=None, output_tokens=None
    )

    [found] = compared([*two, plan, looked], Export("openai", (used(),))).to_dicts()

    assert (found["our_requests"], found["rows_missing"]) == (2, 0)
    assert found["our_usd"] == pytest.approx(0.0009)


def test_an_export_without_request_counts_differs_by_tokens(event):
    """Anthropic's: what is missing is tokens, cache writes at their own price."""
    claude = "claude-sonnet-4-5-20250929"  # 3 USD, write 3.75, 1 h 6, read 0.30
    ours = event(
        started_at=NOON, provider="anthropic", model_actual=claude, output_tokens=0
    )
    counts = {
        "input_tokens": 4000,
        "cache_read_tokens": 1000,
        "cache_write_tokens": 2000,
        "cache_write_1h_tokens": 1000,
    }
    theirs = Used(DAY, claude, None, counts)

    row = compared([ours], Export("anthropic", (theirs,))).row(0, named=True)

    assert (row["their_requests"], row["rows_missing"]) == (None, None)
    assert row["tokens_usd"] == pytest.approx((300 + 3750 + 6000) / 1e6)


def test_a_model_without_a_price_has_no_amounts(event):
    """Null, not 0, and the tokens are there."""
    export = Export("openai", (used(model="nobody-knows"),))

    row = compared([], export).row(0, named=True)

    assert (row["rows_usd"], row["their_usd"]) == (None, None)
    assert row["input_tokens_missing"] == 2000


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(0, 5),
    theirs=st.tuples(*[st.integers(0, 10**6)] * 3),
    requests=st.one_of(st.none(), st.integers(0, 9)),
    charge=st.one_of(st.none(), st.floats(0, 100)),
)
def test_the_parts_add_up_to_the_difference(event, n, theirs, requests, charge):
    """Whatever the two sides say."""
    export = Export("openai", (used(requests, *theirs),))
    charged = [] if charge is None else [Charged(DAY, MODEL, charge)]

    row = compared([event(started_at=NOON)] * n, export, charged=charged).row(
        0, named=True
    )

    parts = sum(row[part] or 0 for part in PARTS)
    assert parts == pytest.approx(row["their_usd"] - row["our_usd"], abs=1e-9)


SONNET = "claude-sonnet-4-5-20250929"
HAIKU = "claude-haiku-4-5-20251001"


@pytest.mark.parametrize(
    "provider, model, dimensions, usd",
    [
        ("openai", MODEL, {"tier": "batch"}, 0.15 / 2 * 2 + 0.60 / 2),
        ("openai", MODEL, {"tier": "standard"}, 0.15 * 2 + 0.60),
        ("openai", "gpt-5-2025-08-07", {"tier": "flex"}, 0.625 * 2 + 5),
        ("anthropic", SONNET, {"tier": "batch"}, 1.5 * 2 + 7.5),
        ("anthropic", SONNET, {"long": True}, 6 * 2 + 22.5),
        ("anthropic", SONNET, {"long": False}, 3 * 2 + 15),
        ("anthropic", "claude-opus-4-6", {"geo": "us"}, 5.5 * 2 + 27.5),
    ],
)
def test_each_row_is_priced_by_what_the_export_says_of_it(
    provider, model, dimensions, usd
):
    """Two million tokens in and one out, by list; long prompts also where sums are."""
    export = Export(provider, (used(9, 2 * 10**6, 0, 10**6, model, **dimensions),))

    [row] = compared([], export).to_dicts()

    assert row["their_usd"] == row["rows_usd"] == pytest.approx(usd)


def test_a_tier_without_a_price_is_not_priced_as_another():
    """Capacity bought in advance has no list price."""
    export = Export("anthropic", (used(model=SONNET, tier="priority"),))

    [row] = compared([], export).to_dicts()

    assert (row["their_usd"], row["priced_as"]) == (None, "priority")


def test_what_an_export_tells_apart_is_told_apart_in_the_log(event, two):
    """Batches and flex beside the same of the log; what is told by nobody is together."""
    flex = event(started_at=NOON, service_tier="flex")
    told = Export(
        "openai",
        (
            used(tier="standard"),
            used(100, 10**5, 0, 0, tier="batch"),
            used(1, tier="flex"),
        ),
    )

    rows = {r["priced_as"]: r for r in compared([*two, flex], told).to_dicts()}
    [together] = compared(
        [*two, flex], Export("openai", (used(3, 3000, 0, 1500),))
    ).to_dicts()

    assert {k: r["rows_missing"] for k, r in rows.items()} == {
        "": 0,
        "batch": 100,
        "flex": 0,
    }
    assert rows["batch"]["rows_usd"] == pytest.approx(0.0075)
    assert (together["rows_missing"], together["priced_as"]) == (0, "")


def test_searches_are_billed_by_themselves(event):
    """Ten dollars a thousand, beside the tokens."""
    ours = event(
        started_at=NOON, provider="anthropic", model_actual=HAIKU, web_searches=1
    )
    counts = {"input_tokens": 1000, "output_tokens": 500, "web_searches": 4}

    [row] = compared(
        [ours], Export("anthropic", (Used(DAY, HAIKU, 1, counts),))
    ).to_dicts()

    assert (row["web_searches_missing"], row["tokens_usd"]) == (3, pytest.approx(0))
    assert row["other_usd"] == pytest.approx(0.03)


def test_a_day_s_amount_is_set_beside_the_day(two):
    """Where the export has no model's: the rest of the day is a row of its own."""
    charged = [Charged(DAY, None, 0.0014)]

    found = compared(two, Export("openai", (used(),)), charged=charged)

    rows = {row["model"]: row for row in found.to_dicts()}
    assert rows[ALL_MODELS]["price_usd"] == pytest.approx(0.0005)
    assert rows[MODEL]["price_usd"] is None
    assert found["their_usd"].sum() == pytest.approx(0.0014)


def test_costs_alone_are_compared_as_sums(two):
    """By model, or by day; what was given back stands apart."""
    lines = (Charged(DAY, MODEL, 0.001), Charged(DAY, "credits", -0.0004))
    by_day = (Charged(DAY, None, 0.001),)

    rows = {
        r["model"]: r for r in compared(two, Export("openai", charged=lines)).to_dicts()
    }
    days = compared(two, Export("openai", charged=by_day))

    assert rows[MODEL]["price_usd"] == pytest.approx(0.0001)
    assert (rows["credits"]["their_usd"], rows["credits"]["our_usd"]) == (-0.0004, 0)
    assert days["their_usd"].sum() == pytest.approx(0.001)
    assert days["our_usd"].sum() == pytest.approx(0.0009)


dimensions = st.builds(
    Dimensions,
    st.sampled_from([None, "standard", "batch", "flex"]),
    st.sampled_from([None, True, False]),
    st.sampled_from([None, ""]),
)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), dimensions), max_size=6
    ),
    n=st.integers(0, 3),
    charge=st.one_of(st.none(), st.floats(-100, 100)),
    model=st.sampled_from([None, "gpt-5-2025-08-07", "credits"]),
)
def test_whatever_is_told_apart_the_parts_add_up(event, rows, n, charge, model):
    """Of every row, and of the whole; and no row or charge is lost."""
    name = "gpt-5-2025-08-07"
    export = Export(
        "openai",
        tuple(
            Used(DAY, name, 1, {"input_tokens": i, "output_tokens": o}, d)
            for i, o, d in rows
        ),
        days=frozenset({DAY}),
    )
    log = [event(started_at=NOON, model_actual=name)] * n
    charged = [] if charge is None else [Charged(DAY, model, charge)]

    found = compared(log, export, charged=charged)

    for row in found.to_dicts():
        parts = sum(row[part] or 0 for part in PARTS)
        assert parts == pytest.approx(row["their_usd"] - row["our_usd"], abs=1e-9)
    assert found["our_requests"].sum() == n
    assert found["their_requests"].sum() == len(rows)
    if charge is not None and model != "credits":
        assert found["their_usd"].sum() == pytest.approx(charge, abs=1e-9)

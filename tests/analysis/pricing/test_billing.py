"""What counts cost at given prices."""

import polars as pl
from genai_prices.types import ModelPrice
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.analysis.pricing import billing

prices = st.fixed_dictionaries(
    {count: st.none() | st.integers(0, 10**6) for count in billing.UNITS}
)
# Sums below 2**53, so that one division rounds them once.
few = st.none() | st.integers(-1, 9) | st.sampled_from([10**8, 10**8 + 1, 2**62])
rows = st.lists(
    st.fixed_dictionaries(dict.fromkeys(billing.UNITS, few)), min_size=1, max_size=9
)


def of_kinds(*kinds):
    terms = [billing.terms(ModelPrice(), pusd) for pusd in kinds]
    return pl.DataFrame(terms, billing.SCHEMA, orient="row")


def frame(*counted):
    return pl.DataFrame(counted, dict.fromkeys(billing.UNITS, pl.Int64))


@given(pusd=prices, counted=rows)
def test_rates_add_up_to_what_each_count_costs_at_its_own_price(pusd, counted):
    """In every row whose counts are in no doubt, and unknown input is unknown cost."""
    facts, kind = frame(*counted), pl.Series([0] * len(counted))

    found = billing.cost_usd(facts, of_kinds(pusd), kind).to_list()

    assert found == [one_by_one(row, pusd) for row in counted]


def one_by_one(row, pusd):
    """The rule in whole numbers: a part that has a price is taken off its wholes."""
    counts = {count: n or 0 for count, n in row.items()}
    if row["input_tokens"] is None or any(not 0 <= n <= 10**8 for n in counts.values()):
        return None
    billed = {}
    for count, unit in billing.UNITS.items():
        parts = [part for part in unit.parts if pusd[part] is not None]
        whole_is_missing = row[count] is None and pusd[count] is not None
        if whole_is_missing and any(counts[part] for part in unit.parts):
            return None
        billed[count] = counts[count] - sum(billed[part] for part in parts)
        if pusd[count] is not None and billed[count] < 0:
            return None
    audio = counts["input_audio_tokens"] and pusd["cache_read_audio_tokens"] is not None
    if counts["cache_read_tokens"] and audio and row["cache_read_audio_tokens"] is None:
        return None
    return sum(n * (pusd[count] or 0) for count, n in billed.items()) / 10**12


def test_a_kind_without_a_price_costs_null():
    """Beside one that has a price."""
    known = dict.fromkeys(billing.UNITS, 10**6)
    terms = [billing.terms(ModelPrice(), known), (None,) * len(billing.SCHEMA)]
    table = pl.DataFrame(terms, billing.SCHEMA, orient="row")
    facts = frame(*[{**dict.fromkeys(billing.UNITS), "input_tokens": 5}] * 3)

    found = billing.cost_usd(facts, table, pl.Series([1, 0, 1]))

    assert found.to_list() == [None, 5e-6, None]


def test_one_doubtful_row_changes_no_other():
    """More cached than there was input: that row alone has no cost."""
    pusd = {**dict.fromkeys(billing.UNITS), "input_tokens": 10, "cache_read_tokens": 1}
    nothing = dict.fromkeys(billing.UNITS)
    fine = {**nothing, "input_tokens": 3, "cache_read_tokens": 2}
    facts = frame(fine, {**fine, "cache_read_tokens": 4}, fine)

    found = billing.cost_usd(facts, of_kinds(pusd), pl.Series([0, 0, 0]))

    assert found.to_list() == [12e-12, None, 12e-12]

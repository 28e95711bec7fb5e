"""What a series asked, by model, at effective prices."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from lectr_lab.analysis.odd.split import parts
from lectr_lab.analysis.odd.traffic import (
    ADDED,
    list_price,
    price_changes,
    token_prices,
    traffic,
)

AT = datetime(2026, 11, 20, tzinfo=UTC)
MINI = pl.DataFrame({"provider": ["openai"], "model": ["gpt-4o-mini"]})
OWN = pl.DataFrame({"provider": ["local"], "model": ["our-own"]})


def cells(models, usd, rng, times=1.0):
    """Fifty cells of one model, at these prices a token."""
    n = rng.integers(1, 9, 50)
    sent = rng.integers(500, 5000, 50)
    read, written = sent // rng.integers(2, 9, 50), sent // rng.integers(9, 20, 50)
    answered = rng.integers(10, 900, 50)
    tokens = np.stack([sent - read - written, read, written, answered])
    cost = times * usd @ tokens
    columns = dict(zip(ADDED, (n, cost, sent, read, written, answered), strict=True))
    floats = {name: np.asarray(v, float) for name, v in columns.items()}
    return pl.DataFrame(floats).with_columns(
        provider=pl.lit(models["provider"][0]), model=pl.lit(models["model"][0])
    )


def test_what_traffic_costs_is_what_was_billed():
    """Whatever the list says."""
    rng = np.random.default_rng(1)
    some = cells(MINI, np.array([1e-6, 5e-7, 1e-6, 9e-6]), rng, times=0.7)

    found = traffic(some, MINI, some["n"].sum(), token_prices(some, MINI, AT))

    assert found.usd() == pytest.approx(some["cost_usd"].sum())


def test_prices_that_no_list_has_are_learned():
    """From what the cells were billed."""
    rng = np.random.default_rng(1)
    usd = np.array([2e-6, 5e-7, 2.5e-6, 8e-6])

    [found] = token_prices(cells(OWN, usd, rng), OWN, AT)

    assert found == pytest.approx(usd, rel=1e-6)


def test_a_dearer_contract_is_all_price():
    """Where every token costs twice as much."""
    usd = np.array([2e-6, 5e-7, 2.5e-6, 8e-6])
    was, now = (cells(OWN, usd, np.random.default_rng(1), times=t) for t in (1.0, 2.0))
    learned = token_prices(was, OWN, AT)
    n = was["n"].sum()

    found = parts(traffic(was, OWN, n, learned), traffic(now, OWN, n, learned))

    assert found["price"] == pytest.approx(was["cost_usd"].sum())


def test_calls_without_tokens_have_a_price_each():
    """Such as pictures: all of a change is requests or price."""
    some = cells(OWN, np.zeros(4), np.random.default_rng(1)).with_columns(
        pl.lit(0.0).alias("input_tokens"), pl.lit(0.0).alias("output_tokens"),
        pl.lit(0.0).alias("cached_tokens"), pl.lit(0.0).alias("written_tokens"),
        cost_usd=0.04 * pl.col("n"),
    )  # fmt: skip

    found = traffic(some, OWN, 10, token_prices(some, OWN, AT))

    assert found.usd() == pytest.approx(0.4)


def test_an_unknown_model_has_no_list_price():
    """None, and not zero."""
    assert list_price("openai", "no-such-model", AT) is None
    assert list_price("openai", "gpt-4o-mini", AT).input_usd > 0


def test_a_price_that_stays_has_not_changed():
    """Whatever was asked in between."""
    before = datetime(2026, 11, 1, tzinfo=UTC)

    assert price_changes(MINI, before, AT) == []

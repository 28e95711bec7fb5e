"""Bands and slots are those by which rows are priced."""

from datetime import UTC, datetime, timedelta

import polars as pl

from lectr_lab.analysis.pricing.bands import band, lengths, slot, times


def test_a_band_begins_above_its_length():
    """As tiers do: a price holds for more than so many tokens."""
    at = [None, 0, *(one + step for one in lengths() for step in (0, 1))]

    bands = pl.DataFrame({"n": at}).select(band(pl.col("n"))).to_series().to_list()

    assert bands[:2] == [0, 0]
    assert bands[2:] == [sum(other < one for other in lengths()) for one in at[2:]]


def test_a_slot_begins_at_its_time_where_prices_go_by_it():
    """For Azure's and others' providers; always 0 for the rest."""
    day = datetime(2026, 11, 2, tzinfo=UTC)
    moments = [
        day.replace(hour=one.hour, minute=one.minute) + timedelta(microseconds=step)
        for one in times()
        for step in (-1, 0)
    ]
    frame = pl.DataFrame({"started_at": moments})

    def slots(provider):
        named = frame.with_columns(provider=pl.lit(provider, pl.String))
        return named.select(slot()).to_series().to_list()

    assert slots("azure") == [n // 2 + n % 2 for n in range(2 * len(times()))]
    assert slots("somebody") == slots("azure")
    assert set(slots("openai")) == {0}

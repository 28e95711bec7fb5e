"""Rows as whole numbers."""

from collections import Counter

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from metrics_rows import events

from lectr_lab.log.schema import frame
from lectr_lab.metrics.counts import HISTOGRAMS, SECONDS, Counts, Key, count, needed
from lectr_lab.metrics.labels import LABELS, Names


def counted(rows: pl.LazyFrame, names: Names | None = None) -> Counts:
    names = names or Names(500, len(LABELS))
    return count(needed(rows).collect(), names, Names(50, 1))


def total(counts: Counts, what: str, more: str | int | None = None) -> int:
    return sum(
        n for k, n in counts.items() if k.what == what and more in (None, k.more)
    )


def test_sums_are_those_of_the_rows():
    """Requests, errors by class, tokens by type; a row without a price is none."""
    rows = frame(events(0, 100))
    counts = counted(rows.lazy().with_columns(cost_usd=pl.lit(0.000000000001)))

    assert total(counts, "requests") == 100
    assert total(counts, "requests", "ok") == 60
    assert total(counts, "errors") == total(counts, "errors", "overloaded") == 20
    assert total(counts, "tokens", "input") == rows["input_tokens"].sum()
    assert total(counts, "tokens", "cache_read") == 100
    assert total(counts, "pusd") == 100
    assert total(counts, "unpriced") == 0


def test_a_bucket_holds_what_is_not_above_its_bound():
    """As `le` says it; a failure is in none."""
    own = [events(0, 1, total_ms=ms)[0] for ms in (10.0, 10.001, 81_920.0, 1e9)]
    failed = events(3, 1, total_ms=1.0)
    counts = counted(frame(own + failed).lazy())

    found = {key.more: n for key, n in counts.items() if key.what == "duration"}
    assert found == {0: 1, 1: 1, len(SECONDS) - 1: 1, len(SECONDS): 1}
    assert total(counts, "duration.sum") == 10_000 + 10_001 + 81_920_000 + 10**12


@given(cuts=st.lists(st.integers(0, 60)).map(sorted))
def test_parts_add_up_to_the_whole(cuts):
    """To the last digit, however rows are shared out."""
    rows = frame(events(0, 60)).with_columns(cost_usd=pl.col("input_tokens") * 1.5e-7)
    names = Names(500, len(LABELS))
    parts: Counts = Counter()
    for start, end in zip([0, *cuts], [*cuts, 60], strict=True):
        parts.update(counted(rows[start:end].lazy(), names))

    assert parts == counted(rows.lazy(), names)


def test_a_name_a_request_does_not_grow_the_series():
    """All others are one; nothing is lost of their sums."""
    rows = [events(n, 1, feature=f"f{n}")[0] for n in range(200)]
    counts = counted(frame(rows).lazy(), Names(10, len(LABELS)))

    assert len({key.labels for key in counts}) == 11
    assert total(counts, "requests") == 200
    assert Key("requests", ("other",) * len(LABELS), "ok") in counts


def test_no_rows_are_no_counts():
    """Nor are rows without any figure an error."""
    silent = events(0, 3, input_tokens=None, output_tokens=None, cache_read_tokens=None)

    assert counted(frame([]).lazy()) == {}
    assert total(counted(frame(silent).lazy()), "tokens") == 0
    assert len({histogram.what for histogram in HISTOGRAMS}) == len(HISTOGRAMS)

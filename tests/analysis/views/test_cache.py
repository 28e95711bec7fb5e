"""What the cache saved and missed, by group and by cause, and what to do."""

from collections import Counter, defaultdict
from itertools import product

import polars as pl
import pytest

import lectr_lab as lectr
from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.views.cache import cache, cache_losses
from lectr_lab.analysis.views.cache_dollars import with_dollars
from lectr_lab.analysis.views.cache_misses import CAUSES, PARTS, with_misses
from lectr_lab.core.errors import LabError

WATCHED = {
    "prompt_chars": 100_000,
    "prefix_chars": 90_000,
    "prefix_kept_chars": 90_000,
    "prefix_break": "none",
    "idle_s": 60.0,
    "input_tokens": 100_000,
    "cache_read_tokens": 0,
}
OPUS = dict.fromkeys(
    ("model_requested", "model_sent", "model_actual"), "claude-opus-5-5"
)
OPUS |= {
    "provider": "anthropic",
    "operation": "messages",
    "cache_write_tokens": 100_000,
}
CHANGED = {"prefix_kept_chars": 0}


@pytest.fixture
def log(event, log_of):
    """Three features: one that hits, two that miss; and a request that was not watched."""
    return priced(
        log_of(
            [
                event(feature="hits", **WATCHED | {"cache_read_tokens": 90_000}),
                event(feature="edits", **WATCHED | CHANGED | {"prefix_break": "tools"}),
                event(
                    feature="edits", **WATCHED | CHANGED | {"prefix_break": "history"}
                ),
                event(feature="waits", **WATCHED | OPUS | {"idle_s": 900.0}),
                event(feature="hits", input_tokens=1_000),
            ]
        )
    )


def test_who_lost_most_stands_first(log):
    """With what it lost by cause; what it did not is null."""
    found = cache(log, org="local").collect()

    assert found["feature"].to_list() == ["waits", "edits", "hits"]
    waits, edits, hits = found.to_dicts()
    assert waits["lost_to_pause_usd"] == waits["lost_usd"] == pytest.approx(0.432)
    assert edits["lost_to_pause_usd"] is None
    parts = [edits[f"lost_to_{cause}_usd"] or 0 for cause in CAUSES]
    assert sum(parts) == pytest.approx(edits["lost_usd"])
    assert (hits["requests"], hits["watched"], hits["lost_usd"]) == (2, 1, 0)
    assert hits["hit_rate"] == pytest.approx(90_000 / 101_000)
    assert hits["saved_usd"] > 0


def test_the_advice_is_about_the_largest_loss(log):
    """And none is given where nothing is lost."""
    advice = dict(cache(log, org="local").collect().select("feature", "advice").rows())

    assert advice["hits"] is None
    assert advice["waits"].startswith(
        "Most is lost to pauses longer than the cache lasts: "
    )
    assert 'cache_control={"type": "ephemeral", "ttl": "1h"}' in advice["waits"]
    assert "it would have saved $0.43 and cost $0.03" in advice["waits"]


def test_a_longer_life_that_does_not_pay_is_not_advised(event, log_of):
    """Many short talks, and one pause."""
    short = WATCHED | OPUS | {"prefix_break": "first", "prefix_kept_chars": 0}
    events = [event(**WATCHED | OPUS | {"idle_s": 900.0})] + [event(**short)] * 20
    [row] = cache(priced(log_of(events)), None, org="local").collect().to_dicts()

    assert row["longer_saves_usd"] < row["longer_costs_usd"]
    assert "a longer life would not pay" in row["advice"]


@pytest.mark.parametrize("cause", CAUSES)
def test_every_cause_has_its_advice(event, log_of, cause):
    """One sentence, which ends."""
    fields = {
        "pause": {"idle_s": 9e5},
        "provider": {},
        "too_short": {"prefix_chars": 900, "prefix_kept_chars": 900},
        "unmarked": OPUS | {"cache_write_tokens": 0},
    }.get(cause, CHANGED | {"prefix_break": cause})
    [row] = (
        cache(priced(log_of([event(**WATCHED | fields)])), None).collect().to_dicts()
    )

    assert row[f"lost_to_{cause}_usd"] == row["lost_usd"] > 0
    assert row["advice"].startswith("Most ")
    assert row["advice"].endswith(".")


def test_an_unwatched_log_says_so(event, log_of):
    """Of an import, or before the columns were."""
    [row] = cache(priced(log_of([event()]))).collect().to_dicts()

    assert (row["watched"], row["lost_usd"], row["hit_rate"]) == (0, None, 0)
    assert row["advice"] == "No prompt was watched: ask through the proxy."


def test_an_empty_log_is_an_empty_view(log_of):
    """As a view and as a table."""
    log = priced(log_of([]))

    assert cache(log).collect().is_empty()
    assert cache_losses(log, "feature").collect().is_empty()


def test_causes_are_rows_for_who_wants_them(log):
    """Their dollars are those of the view."""
    losses = cache_losses(log, "feature", org="local").collect()

    assert losses.columns == [
        "feature",
        "cause",
        "requests",
        "missed_tokens",
        "lost_usd",
    ]
    assert losses["cause"].to_list() == ["pause", "history", "tools"]
    lost = cache(log).collect()["lost_usd"].sum()
    assert losses["lost_usd"].sum() == pytest.approx(lost)


def test_causes_have_the_dollars_of_their_rows(event, log_of):
    """Beside a plain account, row by row: to the last 1e-12 USD, a request once a cause."""
    requests = product(
        [OPUS, {}, dict.fromkeys(OPUS, "our-own")],
        ["first", "none", "tools", "history", "model"],
        [0, 1_000, 70_001],
        [0, 45_003, 90_000],
        [60.0, 900.0],
    )
    events = [
        event(
            **WATCHED
            | how
            | {"prefix_break": why, "cache_read_tokens": read, "idle_s": idle_s}
            | {"prefix_kept_chars": kept}
        )
        for how, why, read, kept, idle_s in requests
    ]
    log = priced(log_of(events))
    counts, tokens, pusd = Counter(), Counter(), defaultdict(list)
    for row in with_dollars(with_misses(log)).collect().iter_rows(named=True):
        missed = [part for part in PARTS if row[f"missed_{part}"] > 0]
        counts.update({row[f"{part}_cause"] for part in missed})
        for part in missed:
            cause, usd = row[f"{part}_cause"], row[f"lost_{part}_usd"]
            tokens[cause] += row[f"missed_{part}"]
            pusd[cause] += [] if usd is None else [round(usd * 10**12)]
    told = {
        cause: (counts[cause], tokens[cause], sum(some) / 10**12 if some else None)
        for cause, some in pusd.items()
    }

    found = cache_losses(log, org="local").collect()

    assert {cause: tuple(rest) for cause, *rest in found.iter_rows()} == told


@pytest.mark.parametrize("by", ["client", "session", ["feature", "model"], None])
def test_it_groups_by_whatever_the_log_has(log, by):
    """A column, several, or none."""
    assert cache(log, by).collect()["requests"].sum() == 5


def test_a_column_that_is_not_there_is_refused(log):
    """In words."""
    with pytest.raises(LabError, match="no column 'colour'"):
        cache(log, "colour")


def test_it_shows_itself_without_the_causes_that_there_are_not(log):
    """In a cell, and as text."""
    shown = lectr.cache(log)._repr_mimebundle_()

    assert "lost to pause" in shown["text/plain"]
    assert "lost to system" not in shown["text/plain"]
    assert "<table" in shown["text/html"]
    assert "and cost $0.030." in shown["text/plain"]  # the advice, to its end


def test_it_prices_a_log_that_is_not_priced(event, log_of):
    """As `recommend` does."""
    log = log_of([event(**WATCHED)])

    assert cache(log).collect()["lost_usd"].item() > 0
    assert isinstance(cache(log), pl.LazyFrame)

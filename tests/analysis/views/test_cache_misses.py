"""Of each request, what it missed and why: token by token along its prompt."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lectr_lab.analysis.views.cache_misses import CAUSES, PARTS, with_misses

OPUS = {
    "provider": "anthropic",
    "operation": "messages",
    "model_requested": "claude-opus-5-5",
    "model_sent": "claude-opus-5-5",
    "model_actual": "claude-opus-5-5",
}
WATCHED = {
    "prompt_chars": 10_000,
    "prefix_chars": 9_000,
    "prefix_kept_chars": 9_000,
    "prefix_break": "none",
    "idle_s": 60.0,
    "input_tokens": 10_000,
    "cache_read_tokens": 0,
}
counts = st.none() | st.integers(0, 20_000)


@pytest.fixture
def missed(event, log_of):
    """What one request missed, by its cause."""

    def missed_by(**fields) -> dict[str, int]:
        row = with_misses(log_of([event(**WATCHED | fields)])).collect().to_dicts()[0]
        missed = {part: row[f"missed_{part}"] for part in PARTS}
        return {
            row[f"{part}_cause"]: tokens for part, tokens in missed.items() if tokens
        }

    return missed_by


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"cache_read_tokens": 8_960}, {}),
        ({"cache_read_tokens": 7_500}, {}),  # characters are no tokens
        ({}, {"provider": 8_960}),  # in steps of 128
        ({"idle_s": 400.0}, {"pause": 8_960}),
        ({"prefix_break": "first", "prefix_kept_chars": 0, "idle_s": None}, {}),
        ({"prefix_break": "tools", "prefix_kept_chars": 0}, {"tools": 8_960}),
        (
            {"prefix_break": "system", "prefix_kept_chars": 3_000, "idle_s": 400.0},
            {"pause": 2_944, "system": 6_016},
        ),
        (
            {
                "prefix_break": "history",
                "prefix_kept_chars": 3_000,
                "cache_read_tokens": 2_944,
            },
            {"history": 6_016},
        ),
        # Less than is cached of itself is of no use.
        ({"prefix_break": "system", "prefix_kept_chars": 900}, {"system": 8_960}),
        ({"prefix_break": "model"}, {"model": 8_960}),
        ({"prefix_break": "parameters", "idle_s": 9_000.0}, {"parameters": 8_960}),
        ({"prefix_chars": 1_000, "prefix_kept_chars": 1_000}, {"too_short": 896}),
        ({"prefix_break": None}, {}),
        ({"prompt_chars": None}, {}),
        ({"prompt_chars": 0}, {}),
        ({"provider": "perplexity", "model_sent": "sonar"}, {"provider": 9_000}),
    ],
)
def test_each_cause_has_its_tokens(missed, fields, expected):
    """OpenAI's: automatic, from 1,024 tokens, for five minutes of gpt-4o-mini."""
    assert missed(**fields) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"cache_write_tokens": 10_000}, {"provider": 9_000}),
        ({"cache_write_tokens": 0}, {"unmarked": 9_000}),
        ({"cache_write_tokens": None, "cache_read_tokens": None}, {"unmarked": 9_000}),
        (
            {"cache_write_tokens": 0, "cache_read_tokens": 2_000},
            {"unmarked": 7_000},
        ),
        ({"cache_write_tokens": 10_000, "idle_s": 301.0}, {"pause": 9_000}),
        (
            {
                "cache_write_tokens": 10_000,
                "cache_write_1h_tokens": 10_000,
                "idle_s": 301.0,
            },
            {"provider": 9_000},
        ),
        (
            {
                "cache_write_tokens": 10_000,
                "prefix_break": "system",
                "prefix_kept_chars": 4_000,
            },
            {"system": 9_000},
        ),
    ],
)
def test_what_has_to_be_marked(missed, fields, expected):
    """Anthropic's: what was neither read nor written was not marked; an hour's writes
    are kept for an hour; and no request ended before an altered system prompt."""
    assert missed(**OPUS | fields) == expected


@given(
    read=counts,
    written=counts,
    hourly=counts,
    prefix_chars=st.none() | st.integers(0, 10_000),
    kept=st.none() | st.integers(0, 10_000),
    cause=st.sampled_from(
        ["first", "none", "tools", "system", "history", "model", None]
    ),
    idle_s=st.none() | st.floats(0, 1e5),
    provider=st.sampled_from(["openai", "anthropic", "gemini", "nobody", None]),
    total=st.integers(0, 20_000),
)
@example(
    read=None,
    written=None,
    hourly=None,
    prefix_chars=2_739,
    kept=2_739,
    cause="first",
    idle_s=None,
    provider="openai",
    total=3_737,
)
def test_what_is_missed_fits_into_the_input(
    event,
    log_of,
    read,
    written,
    hourly,
    prefix_chars,
    kept,
    cause,
    idle_s,
    provider,
    total,
):
    """The law: never below 0, never more than was not read, and always for a cause."""
    one = event(
        provider=provider,
        input_tokens=total,
        cache_read_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=hourly,
        prompt_chars=10_000,
        prefix_chars=prefix_chars,
        prefix_kept_chars=kept,
        prefix_break=cause,
        idle_s=idle_s,
    )
    [row] = with_misses(log_of([one])).collect().to_dicts()
    missed = [row[f"missed_{part}"] for part in PARTS]

    assert min(missed) >= 0
    assert sum(missed) + min(read or 0, total) <= total
    assert 0 <= row["missed_longer"] <= row["missed_kept"]
    assert cause not in (None, "first") or sum(missed) == 0
    named = [row[f"{part}_cause"] for part in PARTS if row[f"missed_{part}"]]
    assert {*named} <= {*CAUSES}


@pytest.mark.parametrize("source", ["ratio", "tokenizer"])
def test_counts_that_nobody_told_miss_nothing(missed, source):
    """What of an estimated input was read from a cache is not known."""
    assert missed(token_source="provider") == {"provider": 8_960}
    assert missed(token_source=source) == {}


def test_a_longer_life_would_read_what_lay_within_it(event, log_of):
    """Anthropic's hour; what lay for longer than that is lost with it, too."""
    events = [
        event(**WATCHED | OPUS | {"idle_s": s, "cache_write_tokens": 10_000})
        for s in (60.0, 600.0, 4_000.0)
    ]
    found = with_misses(log_of(events)).collect()

    assert found["missed_longer"].to_list() == [0, 9_000, 0]

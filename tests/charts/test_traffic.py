"""Tokens and tags, drawn."""

import polars as pl
import pytest

from lectr_lab.charts import style, token_bars, untagged_bars

COUNTED = {
    "requests": 4,
    "counted": 4,
    "input_tokens": 1000,
    "cache_read_tokens": 300,
    "cache_write_tokens": 0,
    "output_tokens": 250,
    "reasoning_tokens": 50,
}


def test_tokens_are_drawn_whatever_the_features_are_called(view, groups, drawn, texts):
    """Empty, one, and hostile names."""
    chart = token_bars(view(groups, **COUNTED))

    assert "<script>" not in drawn(chart)
    assert texts(chart).count("1.25 k · n 4") == len(groups)


def test_parts_are_taken_off_their_whole(view):
    """Cached and reasoning tokens are drawn once; what was not said is not drawn."""
    known = token_bars(view(["a"], **COUNTED)).layer[0].data
    frame = view(
        ["a"], **(COUNTED | {"reasoning_tokens": None, "cache_read_tokens": None})
    )
    unknown = (
        token_bars(frame.with_columns(pl.col("^.*_tokens$").cast(pl.Int64)))
        .layer[0]
        .data
    )

    assert dict(known.select("kind", "tokens").rows()) == {
        "input": 700,
        "cached input": 300,
        "output": 200,
        "reasoning": 50,
    }
    assert dict(unknown.select("kind", "tokens").rows()) == {
        "input": 1000,
        "output": 250,
    }


@pytest.mark.parametrize(
    "requests, share, said",
    [
        (3, 0.3, "30 % of requests name no feature"),
        (0, 0.0, "Every request names its feature"),
        (0, None, "Every request names its feature"),
    ],
)
def test_untagged_is_drawn_as_a_share(texts, requests, share, said):
    """Of requests and of spend; an unknown share is said to be unknown."""
    row = {
        "untagged_requests": requests,
        "untagged_of_requests": share,
        "untagged_of_spend": None,
    }

    chart = untagged_bars(pl.DataFrame([row]))

    assert chart.title.text == said
    assert "— untagged" in texts(chart)


def test_the_bar_behind_the_share_is_no_white_block_in_a_dark_cell():
    """Like grid and text, it is a part of the colour of the text around."""
    shares = {"untagged_of_requests": 0.2, "untagged_of_spend": 0.1}
    chart = untagged_bars(pl.DataFrame([{"untagged_requests": 2} | shares]))

    shown = chart._repr_mimebundle_()["text/html"]

    assert style.REST not in shown
    assert shown.count('fill="currentColor" fill-opacity="0.15"') == 2

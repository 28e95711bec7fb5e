"""What changed, drawn."""

import polars as pl
import pytest

from lectr_lab.charts import compare_bars
from lectr_lab.core.errors import LabError

PARTS = ("requests", "models", "prompt", "cache", "answer", "price", "other")
FIGURES = {"requests": 7, "requests_before": 5, "change_usd": 1.5, "before_usd": 1.0}
FIGURES |= {"after_usd": 2.5} | {f"from_{part}_usd": 0.0 for part in PARTS}
FIGURES |= {"from_prompt_usd": 2.0, "from_answer_usd": -0.5}


@pytest.mark.parametrize("of", ["causes", "groups"])
def test_a_change_is_drawn_whatever_the_features_are_called(
    view, groups, drawn, texts, of
):
    """Empty, one, and hostile names, which stay text."""
    chart = compare_bars(view(groups, **FIGURES), of)

    assert "<script>" not in drawn(chart)
    assert "before" in texts(chart) and "after" in texts(chart)


def test_each_step_begins_where_the_last_one_ended(view, rows_of):
    """From the one sum to the other, the largest cause first."""
    found = rows_of(compare_bars(view(["chat"], **FIGURES)))

    steps = found.select("label", "low", "high").rows()
    assert steps == [
        ("before", 0.0, 1.0),
        ("longer prompts", 1.0, 3.0),
        ("shorter answers", 2.5, 3.0),
        ("after", 0.0, 2.5),
    ]


def test_all_others_are_one_step(view, rows_of):
    """So that the steps sum to the change, however many groups there are."""
    found = rows_of(
        compare_bars(view([f"f{i}" for i in range(40)], **FIGURES), "groups")
    )

    assert found["label"].to_list()[-2:] == ["all others (30)", "after"]
    assert found["high"].to_list()[-2] == pytest.approx(40 * 2.5)


def test_the_title_names_what_made_most_of_it(view):
    """Of what went the same way."""
    rise = compare_bars(view(["chat"], **FIGURES)).title.text
    fall = FIGURES | {"change_usd": -0.5, "after_usd": 0.5}
    fall |= {"from_prompt_usd": 1.0, "from_answer_usd": -1.5}

    assert rise == "Spend rose by $1.50 (+150 %): longer prompts"
    assert compare_bars(view(["chat"], **fall)).title.text == (
        "Spend fell by $0.50 (-50 %): shorter answers"
    )


def test_what_is_not_known_is_in_no_step(view, rows_of):
    """A group without a price in one span."""
    some = view(["chat", "ours"], **FIGURES).with_columns(
        change_usd=pl.when(pl.col("feature") == "chat").then(1.5)
    )

    assert rows_of(compare_bars(some))["high"].max() == 3.0


def test_a_log_is_no_comparison(view):
    """In one sentence."""
    with pytest.raises(LabError, match="takes what `compare"):
        compare_bars(view(["chat"], requests=1))
    with pytest.raises(LabError, match="takes what `compare"):
        compare_bars("lab")

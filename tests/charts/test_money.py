"""Where the money goes, drawn."""

from datetime import UTC, datetime

import polars as pl
import pytest

from lectr_lab.charts import spend_bars, spend_timeline
from lectr_lab.core.errors import LabError

FIGURES = {"requests": 7, "spend_usd": 1.5, "share_of_spend": 0.25, "unpriced": 0}


def test_spend_is_drawn_whatever_the_features_are_called(view, groups, drawn, texts):
    """Empty, one, and hostile names, which stay text."""
    chart = spend_bars(view(groups, **FIGURES))

    assert "<script>" not in drawn(chart)
    assert texts(chart).count("$1.50 · 25 % · n 7") == len(groups)


def test_the_title_names_the_dearest(view):
    """And its share of the spend."""
    chart = spend_bars(view(["chat", "b"], **FIGURES))

    assert chart.title.text == "chat: 25 % of the spend"


def test_an_unknown_price_is_said_and_not_drawn_as_zero(view, texts):
    """Beside the axis, with its n."""
    unknown = FIGURES | {"spend_usd": None, "share_of_spend": None, "unpriced": 7}
    frame = view(["a"], **unknown).with_columns(pl.col("spend_usd").cast(pl.Float64))

    said = texts(spend_bars(frame))

    assert "no price known · n 7" in said and "$0" not in said


def test_untagged_is_grey(view, rows_of):
    """It is not a feature."""
    chart = spend_bars(view(["chat", "untagged"], **FIGURES))

    assert rows_of(chart)["colour"].to_list() == ["#0072B2", "#666E78"]


def test_a_column_that_is_missing_is_named(view):
    """A frame of another view does not become an empty chart."""
    with pytest.raises(KeyError, match=r"spend_usd|share_of_spend"):
        spend_bars(view(["a"], requests=1))


@pytest.mark.parametrize("every", ["1m", "1h", "1d", "1w"])
def test_time_is_drawn_in_steps(noon, drawn, every):
    """Each feature in its colour, and the others together."""
    steps = pl.DataFrame(
        {
            "time": [noon, noon, noon],
            "feature": ["</script>", "b", None],
            "rank": [1, 2, 0],
            "requests": [3, 2, 1],
            "spend_usd": [3.0, 2.0, 0.5],
        }
    )

    chart = spend_timeline(steps, every)

    assert chart.title.text == "$5.50 in all"
    svg = drawn(chart)
    assert "all others" in svg and "</script>" not in svg
    assert svg.count('aria-roledescription="bar"') == steps.height


def test_steps_are_drawn_by_any_column(noon, drawn):
    """A boolean's values are names as well."""
    figures = {"rank": [1, 2, 0], "requests": [3, 2, 1], "spend_usd": [3.0, 2.0, 0.5]}
    steps = pl.DataFrame({"time": [noon] * 3, "stream": [True, False, None]} | figures)

    svg = drawn(spend_timeline(steps))

    assert all(word in svg for word in ("True", "False", "all others"))


def test_no_time_at_all_is_drawn(noon, drawn):
    """An empty frame is an empty chart."""
    schema = {"time": pl.Datetime("us", "UTC"), "feature": pl.String, "rank": pl.UInt32}
    schema |= {"requests": pl.UInt32, "spend_usd": pl.Float64}

    assert drawn(spend_timeline(pl.DataFrame(schema=schema))).startswith("<svg")


def test_wall_clock_time_reads_the_same_everywhere(noon, rows_of):
    """Midnight in Tokyo is drawn as midnight, whatever zone the browser is in."""
    steps = pl.DataFrame(
        {
            "time": [noon],
            "feature": ["a"],
            "rank": [1],
            "requests": [1],
            "spend_usd": [1.0],
        }
    ).with_columns(pl.col("time").dt.convert_time_zone("Asia/Tokyo"))

    data = rows_of(spend_timeline(steps))

    assert data["time"].dt.hour().to_list() == [21]
    assert data.schema["time"] == pl.Datetime("us", "UTC")


def test_the_title_says_which_step_was_the_dearest():
    """The finding, where there is more than one step to choose from."""
    days = [datetime(2026, 11, day, tzinfo=UTC) for day in (1, 2)]
    steps = pl.DataFrame(
        {
            "time": days,
            "feature": ["a", "a"],
            "rank": [1, 1],
            "spend_usd": [1.0, 4.5],
            "requests": [1, 1],
        }
    )

    title = spend_timeline(steps, "1d").title.text

    assert title == "$5.50 in all; the most, $4.50, on 2 Nov"
    assert spend_timeline(steps, "1mo").title.text.endswith("in Nov 2026")


def test_a_chart_takes_a_lazy_view_and_says_what_it_wants_of_anything_else(view):
    """A log is what people try first."""
    groups = view(["chat", "b"], **FIGURES)

    assert spend_bars(groups.lazy()).to_dict() == spend_bars(groups).to_dict()
    with pytest.raises(LabError, match=r"what `spend\(log\)` gives"):
        spend_bars(pl.LazyFrame({"event_id": [b""]}))

"""Finished frames, as the views give them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import altair as alt
import polars as pl
import pytest
import vl_convert

HOSTILE = [
    "<script>alert(1)</script>",
    "a.b[0]\\c",
    "👩‍👩‍👧‍👦",
    "x" * 300,
    "line\nbreak",
]


@pytest.fixture(params=[0, 1, len(HOSTILE)], ids=["empty", "one", "hostile"])
def groups(request: pytest.FixtureRequest) -> list[str]:
    return HOSTILE[: request.param]


@pytest.fixture
def drawn() -> Callable[[alt.LayerChart], str]:
    """The SVG that a chart becomes, by the same Vega as in a browser."""
    return lambda chart: vl_convert.vegalite_to_svg(chart.to_json())


@pytest.fixture
def texts(drawn: Callable[[alt.LayerChart], str]) -> Callable[[alt.LayerChart], str]:
    """The words that can be read on a chart, a line each."""
    return lambda chart: "\n".join(re.findall(r">([^<]+)</text>", drawn(chart)))


@pytest.fixture
def rows_of() -> Callable[[alt.LayerChart], pl.DataFrame]:
    """What the first layer draws; Altair moves data that all layers share up."""
    return lambda chart: (
        chart.data if isinstance(chart.data, pl.DataFrame) else chart.layer[0].data
    )


@pytest.fixture
def view() -> Callable[..., pl.DataFrame]:
    """A view of these features, with the same figures for each."""

    def of(features: list[str], **figures: Any) -> pl.DataFrame:
        types = {name: pl.lit(value).alias(name) for name, value in figures.items()}
        keys = {"org": ["o"] * len(features), "feature": features}
        schema = {"org": pl.String, "feature": pl.String}
        return pl.DataFrame(keys, schema).select("org", "feature", *types.values())

    return of


@pytest.fixture
def noon() -> datetime:
    return datetime(2026, 11, 1, 12, tzinfo=UTC)

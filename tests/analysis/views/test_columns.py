"""What a column is called."""

import polars as pl
import pytest

from lectr_lab.analysis.views.columns import column
from lectr_lab.core.errors import LabError
from lectr_lab.log.schema import polars_schema


def test_a_model_is_the_one_that_answered(log_of, event):
    """Or else the one that was asked; any other name is a column."""
    log = log_of([event(model_actual="a"), event(model_actual=None, model_sent="b")])

    found = log.select(column("model", polars_schema()), column("org", polars_schema()))

    assert found.collect()["model"].to_list() == ["a", "b"]


def test_a_name_that_is_none_is_told_with_those_near_it():
    """One sentence says what there is."""
    with pytest.raises(LabError, match="no column 'featur'; near it: feature"):
        column("featur", pl.Schema({"feature": pl.String}))

"""Rows by kind: what a number says is what the row's names say."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.analysis.cells.kinds import kinds

rows = st.tuples(
    st.sampled_from(["a", "b", None]), st.sampled_from([None, -1, 0, 7]), st.booleans()
)
SCHEMA = {"name": pl.String, "n": pl.Int64, "flag": pl.Boolean}


@given(some=st.lists(rows, max_size=30))
def test_a_row_has_the_names_of_its_kind(some):
    """And each kind is told once, in the order of its names."""
    frame = pl.DataFrame(some, SCHEMA, orient="row")

    names, of_rows = kinds(frame, ["n", "name"])

    expected = frame.select("n", "name")
    assert names[of_rows].equals(expected)
    assert names.equals(expected.unique().sort("n", "name", nulls_last=True))

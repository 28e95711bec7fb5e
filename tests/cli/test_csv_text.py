"""A CSV for spreadsheets."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.cli.csv_text import cell, csv_text


@given(text=st.text(min_size=1))
def test_no_cell_begins_a_formula(text):
    """Whatever the client sent."""
    assert cell(text)[0] not in "=+-@\t\r"


def test_a_list_of_names_is_one_text_of_safe_names():
    """Its first name stands at the beginning of a cell."""
    frame = pl.DataFrame({"reasons": [["=HYPERLINK(1)", "b"]], "n": [1]})

    assert csv_text(frame).splitlines()[1:] == ["'=HYPERLINK(1); b,1"]

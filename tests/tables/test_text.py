"""Tables in a terminal."""

import re

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from lectr_lab.tables import text_table


@given(st.lists(st.text(max_size=100), min_size=1, max_size=5))
def test_no_control_character_reaches_a_terminal(texts):
    """One line a row, whatever a client sent."""
    lines = text_table(pl.DataFrame({"feature": texts})).split("\n")

    assert len(lines) == len(texts) + 1
    assert not any(re.search(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e]", x) for x in lines)


def test_columns_line_up_where_signs_are_wide():
    """Figures end in the same cell."""
    frame = pl.DataFrame({"feature": ["a", "漢字", "👍"], "requests": [1, 20, 3000]})

    widths = {cell_len(line) for line in text_table(frame).split("\n")}

    assert len(widths) == 1


def test_a_long_table_is_cut_and_a_list_is_blocks():
    """The first fifty rows; the highest block is the largest value."""
    frame = pl.DataFrame({"per_day": [[0.0, None, 4.0, 8.0]] * 60})

    text = text_table(frame)

    assert text.split("\n")[1] == "▁ ▅█"
    assert text.endswith("… and 10 more")

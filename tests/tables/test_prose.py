"""Sentences end their lines where a reader would."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from lectr_lab.tables.prose import folded

WORDS = st.lists(
    st.sampled_from(
        "a spend requests, 模型 🙂 12 ≈ of https://example.test/a/b - (95".split()
    ),
    min_size=1,
    max_size=30,
)


@given(WORDS, st.integers(8, 60))
def test_no_word_is_lost_or_parted(words, width):
    """The words come back in their order; a line is too long only for one that is."""
    lines = folded(" ".join(words), width).split("\n")

    assert " ".join(lines).split() == words
    for line in lines:
        whole = re.sub(r"[≈] ", "≈", line.strip()).removeprefix("- ")
        assert cell_len(line) <= width or " " not in whole
        assert line == line.rstrip()


@pytest.mark.parametrize(
    "figure", ["15 %", "< 0.1 %", "≈ 3.2 s", "12,345 ms,", "4 MB;"]
)
@pytest.mark.parametrize("width", range(10, 40, 3))
def test_a_figure_keeps_its_unit(figure, width):
    """Wherever the line ends."""
    said = folded(f"Of all requests of that day {figure} name no feature", width)

    assert any(figure in line for line in said.split("\n")) or len(figure) > width


def test_what_follows_a_dash_stands_below_its_first_word():
    """As in a list; blanks before it stay."""
    said = folded("  - the log does not say what it has", 20)

    assert said.split("\n") == ["  - the log does not", "    say what it has"]


def test_tables_and_pipes_are_left_as_they_are():
    """A line that fits keeps its blanks; without a width nothing changes."""
    table = "feature   spend\nchat      $2.50"

    assert folded(table, 15) == table
    assert folded(f"{table} " * 9, None) == f"{table} " * 9

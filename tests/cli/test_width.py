"""A report on a narrow terminal."""

import pytest

from lectr_lab.cli.width import LEAST_KEY, fitting

HEADS = ["requests", "spend", "share", "p50", "p95", "errors", "unpriced"]
ROW = ["12,345", "$39.16", "37 %", "3.2 s", "14.4 s", "8.1 %", "0"]


@pytest.mark.parametrize(
    "width, names, gone",
    [
        (40, 1, {"unpriced", "share", "p50", "errors", "p95"}),
        (60, 2, {"unpriced", "share", "p50", "errors", "p95"}),
        (80, 2, {"unpriced", "share", "p50"}),
        (140, 2, set()),
    ],
)
def test_the_least_telling_figures_go_first(width, names, gone):
    """Names keep room to be read, and no figure is cut."""
    heads, row = [*["name"] * names, *HEADS], [*["x" * 20] * names, *ROW]

    shown = fitting(heads, [row], width)

    assert [heads[i] for i in shown] == [head for head in heads if head not in gone]
    letters = [max(len(heads[i]), min(len(row[i]), LEAST_KEY)) for i in shown]
    assert sum(letters) + 3 * len(shown) + 1 <= width

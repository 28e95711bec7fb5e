"""What `reconcile` gives to a cell, and to a terminal."""

import polars as pl
import pytest

from lectr_lab.analysis.reconcile import reconcile
from lectr_lab.analysis.reconcile.result import Reconciliation, difference_text
from lectr_lab.analysis.scan import demo_log


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """The made-up traffic beside a page that counted one request, and has more pages."""
    file = tmp_path_factory.mktemp("r") / "usage.json"
    file.write_text(
        '{"has_more": true, "data": [{"start_time": 1793577600, "results": [{"model": '
        '"gpt-\\u001b<b>", "input_tokens": 1000, "output_tokens": 1}]}]}'
    )
    return reconcile(demo_log(), file)


def test_nothing_on_either_side_is_a_sentence():
    """Not an empty table."""
    assert difference_text(pl.DataFrame(), "openai").startswith("Neither")
    assert repr(Reconciliation("openai", pl.DataFrame())).startswith("Neither")


def test_it_shows_its_rows_its_sum_and_what_is_missing(found):
    """In words below the table; and nothing of a client's steers a terminal or a page."""
    text, html = repr(found), found._repr_html_()

    for shown in (text, html):
        assert "The difference is" in shown
        assert "is not the last page of its export" in shown
    assert "\x1b" not in text
    assert "<b>" not in html

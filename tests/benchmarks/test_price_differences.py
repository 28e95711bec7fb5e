"""Where our prices differ from others'."""

from pathlib import Path

import pytest
from benchmarks.price_differences import Difference, report, table

FILE = Path(__file__).parents[2] / "data" / "price_differences.md"


@pytest.mark.slow
def test_every_difference_is_written_down_with_its_cause(shared):
    """The file is what the program finds today; what differs anew has to be looked at."""
    assert report(shared / "datasets/prices") == FILE.read_text("utf-8")


def test_a_difference_without_a_cause_ends_the_program():
    """It is not written down as if it were known."""
    with pytest.raises(SystemExit, match="no cause is known"):
        table([Difference("m", "$1", "$2", "")])

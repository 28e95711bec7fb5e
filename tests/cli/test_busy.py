"""A sign that work goes on."""

import io
import time

import pytest
from rich.console import Console

from lectr_lab.cli.busy import busy


@pytest.mark.parametrize(
    ("terminal", "after_s", "said"),
    [(True, 0.01, True), (True, 60, False), (False, 0.01, False)],
)
def test_a_terminal_sees_that_long_work_goes_on(terminal, after_s, said):
    """A quick report says nothing of it, and a pipe never hears of it."""
    console = Console(file=io.StringIO(), force_terminal=terminal)

    with busy(console, after_s):
        time.sleep(0.2)

    assert ("Reading the log" in console.file.getvalue()) == said

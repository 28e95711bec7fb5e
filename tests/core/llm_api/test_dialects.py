"""Which dialect each operation's replies are in."""

from typing import get_args

from lectr_lab.core.event_values import Operation
from lectr_lab.core.llm_api.dialects import DIALECTS


def test_what_is_not_read_is_what_counts_nothing():
    """Every other operation has a dialect, and every dialect an operation."""
    silent = {"count_tokens", "models", "files", "batches", "moderations", "other"}

    assert set(get_args(Operation)) - set(DIALECTS) == silent
    assert set(DIALECTS) <= set(get_args(Operation))

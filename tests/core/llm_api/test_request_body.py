"""The bodies of requests, as far as they are read."""

from typing import get_args

import pytest

from lectr_lab.core.event_values import Operation
from lectr_lab.core.llm_api.request import read_request


@pytest.mark.parametrize("operation", get_args(Operation))
def test_an_empty_object_is_every_kind_of_request(operation):
    """All fields may be left out, and what is not named is skipped."""
    facts = read_request(b"{}", operation)

    assert facts is not None
    assert facts == read_request(b'{"what": {"ever": [NaN]}}', operation)

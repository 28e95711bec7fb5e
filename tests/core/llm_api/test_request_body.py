"""The bodies of requests, as far as they are read."""

import pytest

from lectr_lab.core.llm_api.lenient_json import read
from lectr_lab.core.llm_api.request_body import ANY_BODY, BODIES


@pytest.mark.parametrize("operation", [*BODIES, "other"])
def test_an_empty_object_is_every_kind_of_request(operation):
    """All fields may be left out, and what is not named is skipped."""
    decoder = BODIES.get(operation, ANY_BODY)

    assert read(decoder, b"{}") == read(decoder, b'{"what": {"ever": [NaN]}}')

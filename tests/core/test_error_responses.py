"""Our own answers, as the SDKs understand them."""

import json

import pytest

from lectr_lab.core import error_responses
from lectr_lab.core.error_responses import Refusal

ALL = [v for v in vars(error_responses).values() if isinstance(v, Refusal)]


MADE = [
    error_responses.too_large(1),
    error_responses.rate_limited(60, 2),
    error_responses.too_many_streams(4),
]


@pytest.mark.parametrize("refusal", [*ALL, *MADE], ids=lambda r: r.code)
def test_a_refusal_is_an_openai_error(refusal):
    """`{"error": {message, type, code}}`, with a message to act on."""
    error = json.loads(refusal.body())["error"]

    assert error == {
        "message": refusal.message,
        "type": refusal.type,
        "code": refusal.code,
    }
    assert refusal.message.endswith(".")
    assert 400 <= refusal.status < 600


def test_who_may_try_again_is_told_when():
    """A 429, a 503 and nothing else carry a number of seconds."""
    assert {r.status for r in [*ALL, *MADE] if r.retry_after_s} == {429, 503}

"""What Litestar serves is refused as all else is."""

import json

import httpx
import pytest

from lectr_lab.core import error_responses
from lectr_lab.proxy.own_replies import as_response


@pytest.mark.parametrize(
    "refusal",
    [
        error_responses.NOT_FOUND,
        error_responses.WEBSOCKET,
        error_responses.too_many_streams(2),
    ],
)
def test_a_refusal_is_a_response(refusal):
    """Status, body and headers."""
    response = as_response(refusal)

    assert response.status_code == refusal.status
    assert json.loads(response.content)["error"]["code"] == refusal.code
    sent = {name.encode(): value.encode() for name, value in response.headers.items()}
    assert sent.items() <= dict(refusal.head()).items()


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("POST", "/health"), ("GET", "/v2/x"), ("GET", "/health/x")],
)
def test_what_no_route_is_for_is_an_unknown_path(proxy, method, path):
    """Whoever asks; in one shape, in one write."""
    reply = httpx.request(method, f"{proxy.url}{path}")

    assert reply.json()["error"]["code"] == "unknown_path"
    assert reply.headers["x-should-retry"] == "false"

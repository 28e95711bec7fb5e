"""Whether a gateway answered out of its own cache."""

import pytest

from lectr_lab.core.gateway_cache import from_gateway_cache


@pytest.mark.parametrize(
    ("headers", "hit"),
    [
        ({b"cf-aig-cache-status": b"HIT"}, True),
        ({b"cf-aig-cache-status": b"MISS"}, False),
        ({b"helicone-cache": b" hit "}, True),
        ({b"x-portkey-cache-status": b"SEMANTIC HIT"}, True),
        ({b"x-portkey-cache-status": b"DISABLED"}, False),
        ({b"x-cache": b"HIT", b"cf-cache-status": b"HIT"}, False),
        ({b"helicone-cache": b""}, False),
        ({}, False),
    ],
)
def test_a_hit_is_what_the_gateway_says(headers, hit):
    """A cache of pages, which is not the gateway's, is none."""
    assert from_gateway_cache(headers) == hit

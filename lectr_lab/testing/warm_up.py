"""Everything a test will need, used once before the first test.

What is loaded or read for the first time while time is frozen keeps the frozen clock for
good: modules, and tables with dates in them. Which those are changes with every version
of polars or of a price list, so nothing is listed here: one recorded call is played.
"""

import contextlib
from functools import cache
from http.client import HTTPConnection
from urllib.parse import urlsplit

from lectr_lab.resources import shipped_cassettes
from lectr_lab.tape.cassette import read_cassette
from lectr_lab.testing.replay import replay


@cache
def warm_up() -> None:
    """Play a call and hold it to a budget, once. What is in the way, tests will meet."""
    with contextlib.suppress(Exception):
        cassette = shipped_cassettes() / "simulated" / "groq.yaml"
        one = read_cassette(cassette)[0]
        with replay(cassette) as proxy:
            address = urlsplit(proxy.base_url)
            asking = HTTPConnection(address.netloc, timeout=5)
            headers = {**proxy.headers("f", "generation"), "Authorization": "Bearer x"}
            headers["content-type"] = "application/json"
            headers["user-agent"] = "OpenAI/Python 1.0.0"
            path = urlsplit(one.uri).path
            asking.request(one.method, path, one.request_body, headers)
            asking.getresponse().read()
            asking.close()
            proxy.assert_budget(usd_per_call=0, p95_ms=0, error_rate=0)

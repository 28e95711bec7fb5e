"""The fuzz of the server's edge, small; `fuzz_edge.py` by hand is a hundred times it."""

import asyncio

import fuzz_edge


def test_ten_thousand_requests_break_no_law():
    """Whole, broken and random ones, cut anywhere, on real server protocols."""
    endings = asyncio.run(fuzz_edge.fuzz(10_000, seed=1))

    kinds = {"served", "waiting", "refused, 400", "refused, 401", "refused, 431"}
    assert endings.keys() >= kinds

"""Processes that are killed, over a network with faults, on one prefix."""

import pytest
from shipped_lab import s3_server
from shipping_runs import Run, markdown, run


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_nothing_is_lost_and_nothing_doubled(seed, tmp_path):
    """A quarter of all requests go wrong; `data/shipping_runs.md` has more runs."""
    with s3_server() as url:
        done = run(seed, 12, 0.25, url, tmp_path)

    assert done.same and done.rows == done.found > 0


def test_the_table_says_where_rows_are_missing():
    """A run that went wrong is not among those that went well."""
    runs = [Run(n, 3, {"cut": 2}, 90, 100, 100 - n, 4, n == 0) for n in range(2)]

    assert "**1 of 2 runs" in markdown(runs, 20, 0.25)
    assert "| 1 | 3 | 90 | 2 | 100 | 99 | 4 | **no** |" in markdown(runs, 20, 0.25)

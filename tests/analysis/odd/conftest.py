"""Made-up logs to find something odd in."""

from collections.abc import Callable

import polars as pl
import pytest
from odd_traffic import DAY, Fault, as_log, feature, requests


@pytest.fixture(scope="session")
def made_up() -> Callable[..., pl.LazyFrame]:
    """A log of so many features and days at a rate an hour; the first has the fault."""

    def log(
        features: int = 2, days: int = 9, rate: float = 60, fault: Fault | None = None
    ) -> pl.LazyFrame:
        drawn = [
            requests(
                feature(seed, rate)._replace(
                    cached=0.6, prompt=(7.0, 0.4), answer=(5.0, 0.4)
                ),
                days * DAY,
                None if seed else fault,
            )
            for seed in range(features)
        ]
        return as_log(pl.concat(drawn))

    return log

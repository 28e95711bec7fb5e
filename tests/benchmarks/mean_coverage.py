"""How often the interval of a mean covers it, where values are skewed as costs are.

    python tests/benchmarks/mean_coverage.py

Prints the table of `analysis/views/mean_interval.py`: 4,000 samples of each kind and
size, Student's interval in brackets.
"""

import sys
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import t

from lectr_lab.analysis.views.mean_interval import mean_interval

SAMPLES = 4000
SIZES = (10, 20, 50, 200)
Values: TypeAlias = NDArray[np.float64]
Draw: TypeAlias = Callable[[np.random.Generator, tuple[int, int]], Values]


def lognormal(sd: float) -> tuple[Draw, float]:
    return lambda rng, shape: rng.lognormal(0, sd, shape), float(np.exp(sd**2 / 2))


def mixture() -> tuple[Draw, float]:
    """A fifth about seven times as dear as the rest."""

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Values:
        dear = rng.random(shape) < 0.2
        return rng.lognormal(np.where(dear, 2.0, 0.0), 0.8, shape)

    return draw, float(np.exp(0.32) * (0.8 + 0.2 * np.exp(2)))


KINDS = {
    "lognormal, sd of the log 0.5": lognormal(0.5),
    "lognormal, sd of the log 1": lognormal(1.0),
    "lognormal, sd of the log 1.5": lognormal(1.5),
    "a fifth are seven times the rest": mixture(),
}


def covers(values: Values, truth: float) -> tuple[float, float]:
    """The share of samples whose interval holds the truth; that of Student's."""
    samples, n = values.shape
    frame = pl.DataFrame({"s": np.repeat(np.arange(samples), n), "v": values.ravel()})
    low, high = mean_interval(pl.col("v"))
    found = frame.group_by("s").agg(low.alias("low"), high.alias("high"))
    ours = ((found["low"] <= truth) & (found["high"] >= truth)).mean()
    half = t.ppf(0.975, n - 1) * values.std(1, ddof=1) / np.sqrt(n)
    return float(ours), float((np.abs(values.mean(1) - truth) <= half).mean())


def main() -> None:
    rng = np.random.default_rng(0)
    for kind, (draw, truth) in KINDS.items():
        cells = [covers(draw(rng, (SAMPLES, n)), truth) for n in SIZES]
        shown = (f"{100 * ours:.1f} % ({100 * plain:.1f})" for ours, plain in cells)
        sys.stdout.write(f"| {kind} | {' | '.join(shown)} |\n")


if __name__ == "__main__":
    main()

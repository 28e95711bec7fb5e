"""How often the 90 % interval of a monthly figure covers the truth.

    python tests/benchmarks/coverage.py [trials, default 2,000]

Traffic is made up, from a seed, so that its expected month is known: daily volumes are
lognormal (log-sd 0.35 unless said), times a weekly rhythm, and a day resembles the day
before by a correlation. `requests` draws a Poisson number of requests a day, each with
a skewed cost of its own. Behind a coverage stands its 95 % binomial interval; `width`
is the interval's, as a share of the true month. `held` processes must cover 87 to 93 %
from 14 days, which `tests/analysis/test_monthly.py` checks; the others show where it ends.
"""

import sys
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from lectr_lab.analysis.monthly import DAYS_A_MONTH, monthly

DAYS = (7, 14, 28)
LOG_MEAN_COST, LOG_SD_COST = -0.5, 1.0  # of one request: its mean is 1


class Process(NamedTuple):
    """Daily savings whose expectation is known."""

    name: str
    held: bool = True
    usd: float = 100.0  # a weekday's volume, before noise
    log_sd: float = 0.35
    weekend: float = 1.0  # times a weekday
    resemblance: float = 0.0  # correlation of the logs of neighbouring days
    requests: float | None = None  # a weekday, instead of a smooth volume

    def month_usd(self) -> float:
        week = (5 + 2 * self.weekend) / 7
        return float(DAYS_A_MONTH * self.usd * week * np.exp(self.log_sd**2 / 2))

    def days(self, rng: np.random.Generator, n: int) -> NDArray[np.float64]:
        noise = np.empty(n)
        noise[0] = rng.normal(0, self.log_sd)
        new = self.log_sd * np.sqrt(1 - self.resemblance**2)
        for day in range(1, n):
            noise[day] = self.resemblance * noise[day - 1] + rng.normal(0, new)
        weekday = (rng.integers(7) + np.arange(n)) % 7
        volume = np.where(weekday < 5, 1, self.weekend) * np.exp(noise)
        if self.requests is None:
            return self.usd * volume
        counts = rng.poisson(self.requests * volume)
        sums = [rng.lognormal(LOG_MEAN_COST, LOG_SD_COST, k).sum() for k in counts]
        return self.usd / self.requests * np.array(sums)


PROCESSES = (
    Process("plain"),
    Process("small saving", usd=0.002),
    Process("large saving", usd=50_000.0),
    Process("quiet weekends", weekend=0.4),
    Process("resembling days", resemblance=0.3),
    Process("quiet weekends, resembling", weekend=0.4, resemblance=0.3),
    Process("3 requests a day", requests=3),
    Process("10 requests, quiet weekends", requests=10, weekend=0.4),
    Process("dead weekends, resembling", False, weekend=0.05, resemblance=0.3),
    Process("strongly resembling", False, resemblance=0.5),
    Process("log-sd 0.8", False, log_sd=0.8),
    Process("log-sd 0.8, resembling", False, log_sd=0.8, resemblance=0.3),
)


class Coverage(NamedTuple):
    """Of `trials` intervals, how many covered, and their mean width."""

    trials: int
    covered: int
    width: float

    def share(self) -> tuple[float, float, float]:
        """The share that covered, and its 95 % interval."""
        test = binomtest(self.covered, self.trials).proportion_ci()
        return self.covered / self.trials, float(test.low), float(test.high)


def coverage(process: Process, n: int, trials: int, seed: int = 7) -> Coverage:
    """Measures one process with `n` days."""
    rng = np.random.default_rng(seed)
    truth, covered, width = process.month_usd(), 0, 0.0
    for _ in range(trials):
        found = monthly(process.days(rng, n))
        assert found is not None
        low, high, _confidence = found.interval
        covered += low <= truth <= high
        width += (high - low) / truth
    return Coverage(trials, covered, width / trials)


def table(trials: int) -> Iterator[str]:
    yield f"90 % intervals of a month, {trials:,} trials each; coverage (its 95 % interval), width"
    yield f"{'':30}{'held':6}" + "".join(f"{n:>14} days      " for n in DAYS)
    for process in PROCESSES:
        cells = []
        for n in DAYS:
            found = coverage(process, n, trials)
            share, low, high = (f"{100 * value:.1f}" for value in found.share())
            cells.append(f"{share:>6} ({low}-{high}) {found.width:4.2f}  ")
        yield f"{process.name:30}{'yes' if process.held else 'no':6}" + "".join(cells)


if __name__ == "__main__":
    for line in table(int(sys.argv[1].replace(",", "")) if sys.argv[1:] else 2_000):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

"""How far a mean that was seen can be from the true one, where values are skewed.

What sessions cost is skewed: a few cost many times what most do. Student's interval then
lies too low. Hall's cubic transformation takes the skew into account and assumes no
shape. Source: Hall, JRSS B 54 (1992), 221-228.

Measured by `tests/benchmarks/mean_coverage.py`, in 4,000 samples each: how often 95 %
intervals cover (Student's in brackets):

| values | from 10 | from 20 | from 50 | from 200 |
|---|---|---|---|---|
| lognormal, sd of the log 0.5 | 93.9 % (92.5) | 94.1 % (92.9) | 94.6 % (94.3) | 95.0 % (95.2) |
| lognormal, sd of the log 1 | 91.0 % (83.2) | 92.4 % (86.6) | 93.3 % (89.6) | 93.6 % (93.0) |
| lognormal, sd of the log 1.5 | 87.5 % (70.2) | 89.9 % (76.3) | 91.5 % (82.2) | 91.7 % (87.0) |
| a fifth are seven times the rest | 89.0 % (76.7) | 92.8 % (81.5) | 94.5 % (88.7) | 94.0 % (92.9) |
"""

import polars as pl

from lectr_lab.core.intervals import Z95

LEAST = 5
"""Fewer values say nothing of a mean."""


def mean_interval(value: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """A 95 % interval of the mean of values >= 0, in their unit; nulls are left out.

    Null of fewer than `LEAST` values.

    >>> usd = pl.DataFrame({"usd": [1.0, 1.2, 0.8, 1.1, 0.9, 4.0]})
    >>> low, high = mean_interval(pl.col("usd"))
    >>> usd.select(low.round(2).alias("low"), high.round(2).alias("high")).row(0)
    (0.73, 4.89)
    """
    n, mean = value.count().cast(pl.Float64), value.mean()
    sd, reach = value.std(), _student(n - 1) / n.sqrt()
    skew = value.skew(bias=False)
    enough, even = n >= LEAST, (sd <= mean.abs() * 1e-12)

    def end(z: pl.Expr) -> pl.Expr:
        # Of the studentised mean, the value whose transformed one is z.
        bent = (1 + skew * (z - skew / (6 * n))).cbrt()
        turned = pl.when(skew.abs() > 1e-6).then(3 / skew * (bent - 1)).otherwise(z)
        found = pl.when(even).then(mean).otherwise(mean - sd * turned)
        return pl.when(enough).then(found.clip(lower_bound=0.0))

    return end(reach), end(-reach)


def _student(freedom: pl.Expr) -> pl.Expr:
    """The 97.5 % quantile of Student's t; within 0.1 % from 4 degrees of freedom on.

    Source: Abramowitz and Stegun (1972), 26.7.5.
    """
    z = Z95
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92_160,
    )
    found = pl.lit(z)
    for power, term in enumerate(terms, start=1):
        found = found + term / freedom**power
    return found

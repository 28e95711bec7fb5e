"""Sums of money that are the same, to the bit, however a log is cut and read.

A float sum depends on the order of its parts, and threads and files give them in any.
Whole numbers do not: a cost is a whole number of 1e-12 USD, which a float holds exactly
below 9,007 USD, so it is taken back, summed in 128 bits, and divided once.
"""

from collections.abc import Iterable, Mapping

import polars as pl

PUSD_PER_USD = 10**12
"""In 1e-12 USD, the price of one token is a whole number."""


def usd_sum(usd: str | pl.Expr) -> pl.Expr:
    """The sum of amounts in USD, Float64; 0.0 where none is known, as polars sums.

    >>> frame = pl.DataFrame({"cost_usd": [0.1] * 10 + [None]})
    >>> frame.select(usd_sum("cost_usd")).item(), frame["cost_usd"].sum()
    (1.0, 0.9999999999999999)
    """
    return usd_of(pusd(usd).sum())


def pusd(usd: str | pl.Expr) -> pl.Expr:
    """Amounts in whole 1e-12 USD, Int128."""
    amounts = pl.col(usd) if isinstance(usd, str) else usd
    return (amounts * float(PUSD_PER_USD)).round().cast(pl.Int128, strict=False)


def usd_of(pusd: pl.Expr) -> pl.Expr:
    """Whole 1e-12 USD in USD, Float64, converted once."""
    return share(pusd, pl.lit(PUSD_PER_USD, pl.Int128))


def in_whole_pusd(usd: pl.Expr) -> pl.Expr:
    """An amount that floats have led to: what they leave behind its last digit goes."""
    return usd.round(12)


def share(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """One divided by the other, to the last bit.

    By a scalar polars multiplies the reciprocal, which is not exact, and one engine
    takes for a scalar what the other does not.
    """
    return part / (part * 0 + whole)


def summed(values: Mapping[str, pl.Expr] | Iterable[str]) -> list[pl.Expr]:
    """The sum of each, by name; of amounts, whose names end in `usd`, as `usd_sum`.

    Args:
        values: what is summed, by the name of its sum; or columns, each its own.
    """
    named = values if isinstance(values, Mapping) else {n: pl.col(n) for n in values}
    return [
        (usd_sum(value) if name.endswith("usd") else value.sum()).alias(name)
        for name, value in named.items()
    ]

"""Whole numbers as short text, as `js/packed.js` reads it: a small one takes a letter.

Each letter has five bits of a number, the lowest first, and a sixth that says that more
follow: a third of what JSON takes, which is how many more hours fit a page.
"""

from collections.abc import Iterable

import polars as pl

LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"
"""None that means anything in JSON or HTML."""

_BASE = len(LETTERS) // 2


def packed(numbers: Iterable[int]) -> str:
    """Numbers of 0 or more as text, one after another.

    Raises:
        ValueError: one is below zero.

    >>> packed([0, 31, 32, 1_000_000])
    '0VW1WomU'
    """
    # A million numbers of a column need not become objects.
    some = numbers if isinstance(numbers, pl.Series) else list(numbers)
    given = pl.Series(some, dtype=pl.Int64)
    each = given.unique()  # of many numbers, few are others
    texts = [_one(n) for n in each.to_list()]
    text = given.replace_strict(each, texts, return_dtype=pl.String).str.join()
    return str(text.item())


def _one(n: int) -> str:
    if n < 0:
        raise ValueError(f"{n} is below zero")
    letters = []
    while n >= _BASE:
        n, low = divmod(n, _BASE)
        letters.append(LETTERS[_BASE + low])
    return "".join([*letters, LETTERS[n]])


def differences(rising: Iterable[int], first: int = 0) -> Iterable[int]:
    """By how much each is above the one before.

    >>> list(differences([3, 3, 7]))
    [3, 0, 4]
    """
    before = first
    for n in rising:
        yield n - before
        before = n

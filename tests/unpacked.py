"""A page's cells, read back as its script does it."""

from itertools import accumulate
from typing import Any

from lectr_lab.dashboards.packed import LETTERS


def unpacked(text: str) -> list[int]:
    """The numbers that were packed."""
    numbers, n, times = [], 0, 1
    for letter in text:
        bits = LETTERS.index(letter)
        n += bits % 32 * times
        times *= 32
        if bits < 32:
            numbers.append(n)
            n, times = 0, 1
    return numbers


def unpacked_cells(data: dict[str, Any]) -> dict[str, Any]:
    """The payload with lists in the place of what is packed."""
    first, later = data["times"]
    times = (
        [] if first is None else [first + 1000 * s for s in accumulate(unpacked(later))]
    )
    cells = {
        k: unpacked(v) if isinstance(v, str) else v for k, v in data["cells"].items()
    }
    cells["t"] = [*accumulate(cells["t"])]
    cells["e"] = [e - 1 for e in cells["e"] or [0] * len(cells["t"])]
    numbers, bins = iter(cells["bins"]), []
    for _ in cells["t"]:
        at, own = data["first_bin"], []
        for _ in range(next(numbers)):
            at += next(numbers)
            own += [at, next(numbers)]
        bins.append(own)
    return data | {"times": times, "cells": cells | {"bins": bins}}

"""How far the share that was seen can be from the true one."""

from math import sqrt

Z95 = 1.959963984540054
"""Of the normal distribution 95 % lie within so many standard deviations."""


def wilson(hits: float, n: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's interval of a share: its lower and its upper end, from 0 to 1.

    Args:
        hits: how many of `n`, or the sum of `n` scores from 0 to 1.
        n: how many were seen; of none, the share can be any.
        z: of the normal distribution, how many standard deviations to each side.

    Source: Wilson, JASA 22 (1927), 209-212.

    >>> [round(end, 3) for end in wilson(0, 10)]
    [0.0, 0.278]
    """
    if n == 0:
        return 0.0, 1.0
    p, z2 = hits / n, z * z
    centre, scale = p + z2 / (2 * n), 1 + z2 / n
    half = z * sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return max((centre - half) / scale, 0.0), min((centre + half) / scale, 1.0)

"""By which steps of time a dashboard counts, and by which it draws first.

It counts by steps as short as its size allows, so that whoever reads it can look closer;
it draws by the shortest that keep a chart readable.
"""

from datetime import datetime

STEPS = {
    "1m": (60, "minute"),
    "5m": (300, "5 minutes"),
    "15m": (900, "15 minutes"),
    "1h": (3_600, "hour"),
    "6h": (21_600, "6 hours"),
    "1d": (86_400, "day"),
    "1w": (604_800, "week"),
    "1mo": (2_592_000, "month"),
}
"""Each with its length in seconds, a month's being 30 days, and its name."""

MOST_STEPS = 72
MOST_COUNTED = 3_000


def step(first: datetime | None, last: datetime | None) -> str:
    """The shortest step that keeps a time chart readable.

    >>> step(datetime(2026, 11, 1), datetime(2026, 11, 29))
    '1d'
    """
    return _shortest(first, last, MOST_STEPS)


def counted_step(
    first: datetime | None, last: datetime | None, *, many: bool = False
) -> str:
    """The shortest step by which counting such a span may be worth it.

    Never a week that is not drawn as one, for a month does not begin with a week. Of
    many rows, what is counted of closed days says: an hour at least, and no shorter step
    than a day that is not drawn; so it is by rows as well, and figures are the same.

    >>> counted_step(datetime(2026, 11, 1), datetime(2026, 11, 29))
    '15m'
    >>> counted_step(datetime(2026, 11, 1), datetime(2026, 11, 29), many=True)
    '1d'
    """
    drawn, shortest = step(first, last), _shortest(first, last, MOST_COUNTED)
    if many:
        return "1h" if longer("1h", drawn) else drawn
    return drawn if longer(shortest, "1d") else shortest


def longer(every: str, than: str) -> bool:
    """Whether one step is longer than another."""
    return STEPS[every][0] > STEPS[than][0]


def next_longer(every: str, drawn: str) -> str:
    """The step after one, up to the one that is drawn.

    >>> next_longer("1h", "1mo"), next_longer("1d", "1mo"), next_longer("1mo", "1mo")
    ('6h', '1mo', '1mo')
    """
    order = list(STEPS)
    after = order[min(order.index(every) + 1, len(order) - 1)]
    return drawn if longer(after, "1d") or longer(after, drawn) else after


def _shortest(first: datetime | None, last: datetime | None, most: int) -> str:
    span_s = (last - first).total_seconds() if first and last else 0.0
    fit = (every for every, (length_s, _) in STEPS.items() if span_s / length_s < most)
    return next(fit, "1mo")

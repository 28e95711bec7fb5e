"""Numbers and names as people read them, in charts, tables and sentences.

A name is what a client sent: it can hold anything. Here it becomes one line of
bounded length without control characters; whoever prints it escapes it for its sink.
"""

import re

# Line breaks, control and bidirectional characters: they would rearrange what they
# stand in. Joiners stay, for emoji are made of them.
_UNSHOWABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+"
)
UNKNOWN = "—"
NO_MATH = "tex2jax_ignore mathjax_ignore"
"""HTML classes inside which notebooks take no `$` for the start of a formula."""


def usd(amount: float | None) -> str:
    """Dollars, with as many digits as say something.

    >>> usd(1234.5), usd(12.345), usd(0.00042), usd(0.0), usd(None)
    ('$1,234', '$12.35', '$0.00042', '$0', '—')
    """
    if amount is None:
        return UNKNOWN
    if amount == 0:
        return "$0"
    if amount >= 999.5:
        return f"${amount:,.0f}"
    if amount >= 0.995:
        return f"${amount:.2f}"
    return f"${_two_digits(amount)}"


def _two_digits(amount: float) -> str:
    decimals = 1
    while round(amount, decimals) < 10 ** (1 - decimals) and decimals < 9:
        decimals += 1
    return f"{amount:.{decimals}f}"


def duration(ms: float | None) -> str:
    """Milliseconds, seconds or minutes.

    >>> duration(0.42), duration(345.6), duration(4200.0), duration(150_000.0)
    ('0.42 ms', '346 ms', '4.2 s', '2.5 min')
    """
    if ms is None:
        return UNKNOWN
    if ms < 9.95:
        return f"{ms:.2g} ms"
    if ms < 999.5:
        return f"{ms:.0f} ms"
    if ms < 59_950:
        return f"{ms / 1000:.1f} s"
    return f"{ms / 60_000:.1f} min"


def percent(share: float | None) -> str:
    """A share as per cent; small ones keep a digit, and what is not 0 never reads 0.

    >>> percent(0.431), percent(0.0123), percent(0.0001), percent(0.0), percent(None)
    ('43 %', '1.2 %', '< 0.1 %', '0 %', '—')
    """
    if share is None:
        return UNKNOWN
    if share == 0:
        return "0 %"
    if share < 0.001:
        return "< 0.1 %"
    return (
        f"{share:.1%}".replace("%", " %")
        if share < 0.0995
        else f"{share:.0%}"[:-1] + " %"
    )


def count(n: int | None) -> str:
    """A number of things.

    >>> count(1234567), count(None)
    ('1,234,567', '—')
    """
    return UNKNOWN if n is None else f"{n:,}"


def size(n_bytes: int | None) -> str:
    """Bytes, in units of 1,000.

    >>> size(999), size(1_234_567), size(None)
    ('999 B', '1.23 MB', '—')
    """
    if n_bytes is None:
        return UNKNOWN
    for power, unit in ((4, "TB"), (3, "GB"), (2, "MB"), (1, "kB")):
        if abs(n_bytes) >= 1000**power:
            return f"{n_bytes / 1000**power:.3g} {unit}"
    return f"{n_bytes} B"


def name(text: str | None, most: int = 60) -> str:
    """A client's string on one line, cut where it is long.

    >>> name("chat"), name("a\\nb"), name("x" * 100, most=5), name(None)
    ('chat', 'a b', 'xxxx…', '—')
    """
    if text is None:
        return UNKNOWN
    line = " ".join(_UNSHOWABLE.sub(" ", text[: 4 * most]).split())
    if not line:
        return UNKNOWN
    whole = len(line) <= most and len(text) <= 4 * most
    return line if whole else line[: most - 1].rstrip() + "…"


def names(texts: list[str], most: int = 60) -> list[str]:
    """Names on one line each, no two the same, so that none hides behind another.

    >>> names(["aaaaaa1", "aaaaaa2", "b"], most=5)
    ['aaaa…', 'aaaa… (2)', 'b']
    """
    shown: list[str] = []
    for text in texts:
        short = name(text, most)
        label, again = short, 1
        while label in shown:
            again += 1
            label = f"{short} ({again})"
        shown.append(label)
    return shown

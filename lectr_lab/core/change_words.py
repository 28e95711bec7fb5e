"""A change of spend and its parts, as people read them, in every table and chart alike."""

from lectr_lab.core.formatting import percent, usd

DUST_USD = 5e-10
"""What is less than this is left of a sum of floats."""

_WORDS = {
    "requests": ("more requests", "fewer requests"),
    "models": ("dearer models", "cheaper models"),
    "prompt": ("longer prompts", "shorter prompts"),
    "cache": ("less read from the cache", "more read from the cache"),
    "answer": ("longer answers", "shorter answers"),
    "price": ("dearer tokens", "cheaper tokens"),
    "other": ("more searches, images, …", "fewer searches, images, …"),
}


def made_by(part: str, change_usd: float) -> str:
    """What made a part of a change.

    >>> made_by("cache", 3.45), made_by("answer", -0.42)
    ('less read from the cache', 'shorter answers')
    """
    return _WORDS[part][change_usd < 0]


def signed_usd(change_usd: float) -> str:
    """A change in US dollars, with its sign.

    >>> signed_usd(1.5), signed_usd(-0.00042), signed_usd(1e-12)
    ('+$1.50', '-$0.00042', '$0')
    """
    if abs(change_usd) <= DUST_USD:
        return "$0"
    return f"{'-' if change_usd < 0 else '+'}{usd(abs(change_usd))}"


def rose_by(before_usd: float, after_usd: float) -> str:
    """Whether spend rose or fell, by how much, and what part of the former that is.

    >>> rose_by(17.0, 23.0), rose_by(2.0, 2.0), rose_by(0.0, 1.0)
    ('Spend rose by $6.00 (+35 %)', 'Spend stayed at $2.00', 'Spend rose by $1.00')
    """
    change = after_usd - before_usd
    if abs(change) <= DUST_USD:
        return f"Spend stayed at {usd(after_usd)}"
    way, sign = ("rose", "+") if change > 0 else ("fell", "-")
    if before_usd <= 0:
        return f"Spend {way} by {usd(abs(change))}"
    share = abs(change) / before_usd
    written = percent(share) if share < 10 else f"{share:,.0%}"[:-1] + " %"
    return f"Spend {way} by {usd(abs(change))} ({sign}{written})"

"""Numbers and names as people read them, in charts, tables and sentences.

A name is what a client sent: it can hold anything. Here it becomes one line of bounded
length in which nothing is invisible; whoever prints it escapes it for its sink.
"""

import re
import unicodedata
from hashlib import blake2b

# What nobody sees, or takes for a plain space: controls, line ends, lone surrogates, all
# blanks but the space, Default_Ignorable_Code_Point (Unicode 16, DerivedCoreProperties),
# other formats, non-characters. A space where it can be missed: first, last, after another.
# And "<" where it could be taken for our own.
_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f"
    r"\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ud800-\udfff\ufdd0-\ufdef"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U00013430-\U00013440"
    r"\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    r"|\A | \Z|(?<= ) |<(?=U\+[0-9A-F]{4,6}>)"
)
_PLAIN = re.compile(r"[!-;=-~]+(?: [!-;=-~]+)*")  # nearly every name
_SELECTOR, _JOINER, _KEYCAP = "\ufe0f", "\u200d", "\u20e3"
_PARTED = re.compile(r"<(U(\+[0-9A-F]{0,6})?)?\Z")  # an end cut through one of ours
_MARK = 4  # hexadecimal digits that tell apart what was cut
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
    """Milliseconds, seconds, minutes or hours.

    >>> duration(0.42), duration(345.6), duration(4200.0), duration(150_000.0)
    ('0.42 ms', '346 ms', '4.2 s', '2.5 min')
    >>> duration(9_000_000.0)
    '2.5 h'
    """
    if ms is None:
        return UNKNOWN
    if ms < 9.95:
        return f"{ms:.2g} ms"
    if ms < 999.5:
        return f"{ms:.0f} ms"
    if ms < 59_950:
        return f"{ms / 1000:.1f} s"
    if ms < 7_197_000:
        return f"{ms / 60_000:.1f} min"
    return f"{ms / 3_600_000:.1f} h"


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


def tokens(n: int | None) -> str:
    """A number of tokens in three digits, as charts have room for.

    >>> tokens(999), tokens(3_020), tokens(85_768), tokens(999_999), tokens(None)
    ('999', '3.02 k', '85.8 k', '1 M', '—')
    """
    if n is None:
        return UNKNOWN
    for least, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if n >= least * 0.9995:  # else 999,999 were 1e+03 k
            return f"{n / least:.3g} {letter}"
    return str(n)


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


def visible(text: str) -> str:
    """A client's string on one line, in which nothing is invisible.

    What cannot be seen is written as its code point, so that two names never look alike
    for its sake: whoever replaces these codes has the string back. The one exception is
    what holds an emoji together, a family or a heart that is red.

    >>> print(visible("chat"), visible("ch\\u200bat"), visible("a  b\\n"))
    chat ch<U+200B>at a <U+0020>b<U+000A>
    """
    if _PLAIN.fullmatch(text):
        return text
    return _UNSEEN.sub(_as_code, text)


def _as_code(found: re.Match[str]) -> str:
    one = found[0]
    if one in (_SELECTOR, _JOINER) and _holds_emoji(found):
        return one
    return f"<U+{ord(one):04X}>"


def _holds_emoji(found: re.Match[str]) -> bool:
    text, at = found.string, found.start()
    before, after = text[max(at - 1, 0) : at], text[at + 1 : at + 2]
    if found[0] == _SELECTOR:
        return _is_sign(before) or (before in "0123456789#*" and after == _KEYCAP)
    if before == _SELECTOR:
        before = text[max(at - 2, 0) : at - 1]
    return _is_sign(before) and _is_sign(after)


def _is_sign(one: str) -> bool:
    """A sign such as emoji are, or the skin of one."""
    symbol = unicodedata.category(one or " ") == "So" and (
        one >= "\u2100" or one in "©®"
    )
    return (symbol or "🏻" <= one <= "🏿") and not _UNSEEN.match(one)


def name(text: str | None, most: int = 60) -> str:
    """A client's string on one line of so many letters at most; of none, a dash.

    What is cut ends in four digits of its digest, so that two that begin alike are told
    apart, in every table the same.

    >>> name("chat"), name("a\\nb"), name("x" * 100, most=5), name(None)
    ('chat', 'a<U+000A>b', 'xxxx…', '—')
    >>> name("onboarding-assistant-rewrite-b", most=28)
    'onboarding-assistant-re…4960'
    """
    if not text:
        return UNKNOWN
    line = visible(text[: most + 1])  # no letter becomes less than one
    if len(line) <= most:
        return line
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_MARK // 2)
    mark = "…" + digest.hexdigest() if most > 4 * _MARK else "…"
    return _PARTED.sub("", line[: most - len(mark)]).rstrip() + mark


def names(texts: list[str], most: int = 60) -> list[str]:
    """Names on one line each, no two the same, so that none hides behind another.

    >>> names(["aaaaaa1", "aaaaaa2", "b"], most=5)
    ['aaaa…', 'aaaa… (2)', 'b']
    """
    shown: dict[str, None] = {}
    for text in texts:
        short = name(text, most)
        label, again = short, 1
        while label in shown:
            again += 1
            label = f"{short} ({again})"
        shown[label] = None
    return list(shown)

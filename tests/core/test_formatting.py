"""Numbers and names as people read them."""

import re
import sys
from unicodedata import category

import pytest
import wcwidth
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.core.formatting import (
    count,
    duration,
    name,
    names,
    percent,
    usd,
    visible,
)


@pytest.mark.parametrize(
    "said, expected",
    [
        (usd(999.4), "$999.40"),
        (usd(999.6), "$1,000"),
        (usd(0.999), "$1.00"),
        (usd(0.5), "$0.50"),
        (usd(0.0000123), "$0.000012"),
        (duration(0.0), "0 ms"),
        (duration(9.96), "10 ms"),
        (duration(999.6), "1.0 s"),
        (duration(59_960.0), "1.0 min"),
        (duration(None), "—"),
        (percent(0.999), "100 %"),
        (percent(0.0999), "10 %"),
        (percent(0.05), "5.0 %"),
        (percent(1.0), "100 %"),
        (count(0), "0"),
    ],
)
def test_numbers_at_their_turning_points(said, expected):
    """Units change where the rounded number would."""
    assert said == expected


@given(st.floats(1e-9, 1e9))
def test_what_is_not_zero_does_not_read_zero(amount):
    """A small amount is an amount."""
    assert re.search("[1-9]", usd(amount))


@given(st.text())
def test_a_name_is_one_line_of_bounded_length(text):
    """Whatever a client sent."""
    shown = name(text, most=20)

    assert 1 <= len(shown) <= 20
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", shown)


# Seen, though formats or of no width of their own.
SEEN = {*range(0x1161, 0x1200), *range(0xD7B0, 0xD800)}  # letters in another's cell
SEEN |= {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
ODD = ["\u200b", "\xad", "\u061c", "\u200e", "\u200f", "\u202e", "\U000e0041", "\u2800"]
ODD += [
    "\u3164",
    "\xa0",
    "\u2003",
    "\u3000",
    "\u034f",
    "\ufe0f",
    "\u200d",
    "\ufeff",
    "\x00",
]
ODD += [
    "\n",
    " ",
    "<",
    "<U+200B>",
    "U+200B>",
    "👩",
    "❤",
    "🏽",
    "1",
    "\u20e3",
    "a",
    "\U000e0100",
]
spellings = st.lists(st.sampled_from(ODD) | st.text(max_size=3)).map("".join)


def sent(shown: str) -> str:
    """What was sent, from what is shown."""
    return re.sub(r"<U\+([0-9A-F]{4,6})>", lambda code: chr(int(code[1], 16)), shown)


@given(spellings)
def test_what_is_shown_says_exactly_what_was_sent(text):
    """So no two names look alike for an invisible letter's sake."""
    assert sent(visible(text)) == text


@given(spellings)
def test_nothing_invisible_stays_but_what_holds_an_emoji(text):
    """Joiners and selectors stay beside a sign or a digit alone, and add nothing there."""
    shown = visible(text)

    for at, one in enumerate(shown):
        if one in "\u200d\ufe0f":
            before = shown[at - 1]
            assert before in "0123456789#*\ufe0f🏻🏼🏽🏾🏿" or category(before) == "So"
        else:
            assert not invisible(one), hex(ord(one))
    assert "  " not in shown and shown == shown.strip(" ")


def invisible(one: str) -> bool:
    """As two others see it: Unicode's categories, and what takes no cell."""
    if ord(one) in SEEN or one == " ":
        return False
    formats = category(one) in ("Cc", "Cf", "Cs", "Zs", "Zl", "Zp")
    other = category(one) in ("Mn", "Me", "Mc", "Cn")  # marks, and what is nothing yet
    return formats or (not other and wcwidth.wcwidth(one) <= 0)


def test_every_invisible_code_point_is_shown():
    """All of Unicode, one by one, between two letters."""
    marks = "\u034f\u17b4\u180b\ufe00\U000e0100"  # unseen, though marks
    for code in range(sys.maxunicode + 1):
        one = chr(code)
        if invisible(one) or one in marks:
            assert visible(f"a{one}b") == f"a<U+{code:04X}>b"


@settings(derandomize=True)  # one of 65,536 pairs has the same digits
@given(st.text(min_size=80, max_size=90), st.integers(0, 79), st.characters())
def test_long_names_that_differ_anywhere_are_told_apart(text, at, other):
    """By the digest at their end; and always in the same way."""
    changed = text[:at] + other + text[at + 1 :]

    assert name(text, 28) == name(text, 28)
    assert (name(text, 28) == name(changed, 28)) == (text == changed)


def test_a_name_of_any_length_costs_what_a_short_one_does():
    """It is cut before it is looked at."""
    shown = name("\u200b" * 5_000_000)

    assert re.fullmatch(r"(<U\+200B>)+…[0-9a-f]{4}", shown)


@given(st.lists(st.text(max_size=4), max_size=20))
def test_no_two_names_are_shown_alike(texts):
    """A cut name does not hide another."""
    assert len(set(names(texts, most=2))) == len(texts)


@pytest.mark.parametrize("before", ["a", "^", "°", "`", "1", "\u2800", "é", "日", ""])
@pytest.mark.parametrize("held", ["\ufe0f", "\u200d", "\ufe0f\u200d"])
def test_what_holds_no_emoji_is_shown(before, held):
    """A joiner or selector beside a letter, a blank or a mark of writing."""
    assert not set(held) & set(visible(f"{before}{held}a"))
    assert not set("\u200d") & set(visible(f"{before}\u200d❤"))


@pytest.mark.parametrize("emoji", ["👩‍👩‍👧‍👦", "❤️", "1️⃣", "👍🏽", "🏳️‍🌈", "👩🏽‍🚀"])
def test_emoji_stay_whole(emoji):
    """Joiners are kept: a family is one sign."""
    assert name(emoji) == emoji

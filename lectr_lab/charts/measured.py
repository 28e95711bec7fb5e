"""How wide a text is, so that none is cut: at most, in any of the usual fonts.

Vega lays a chart out by the letters of its own font, and a reader's browser draws it with
another. What is measured here is DejaVu Sans, the widest of those that browsers take
where a page asks for none (read from its advances, version 2.37, on 30 November 2026).
"""

import unicodedata
from collections.abc import Iterable

# Thousandths of the font's size, rounded up: letters of about one width share a line.
_WIDTHS = {
    290: "'jil",
    345: " ,./:;J|\\I·",
    420: "()!-frt[]",
    500: '*_`"',
    560: "csz?",
    620: "FLPTYvxyk",
    655: "$0123456789ESabdeghnopqu{}",
    700: "ABCKVXZR",
    790: "DGHNOQU&",
    875: "#+<=>^~wM≈",
    1000: "%@mW—…",
}
_WIDTH = {letter: width for width, letters in _WIDTHS.items() for letter in letters}
_SMALL, _CAPITAL, _WIDE, _SIGN = 1_060, 1_430, 1_050, 1_450
_JOINED, _JOINED_FROM = 1_450, 0x590  # scripts whose letters have wide forms
_MARK = 130  # beside a letter, at most
_BOLD = 1.2
# Whole phrases in one letter, of Arabic. Source: Unicode 16, block Arabic Presentation
# Forms-A.
_PHRASES, _PHRASE, _LONGEST, _LONGEST_PHRASE = (
    range(0xFDF0, 0xFDFE),
    3_500,
    0xFDFD,
    9_500,
)


def text_px(text: str, font_px: float, *, bold: bool = False) -> float:
    """Pixels that a text takes at most.

    >>> text_px("chat", 10)
    22.9
    """
    thousandths = sum(map(_width, text))
    return thousandths * font_px / 1000 * (_BOLD if bold else 1)


def widest_px(texts: Iterable[str], font_px: float) -> float:
    """Pixels of the widest text; 0 of none."""
    return max((text_px(text, font_px) for text in texts), default=0.0)


def wrapped(
    text: str, most_px: float, font_px: float, *, bold: bool = False
) -> list[str]:
    """A text in lines of so many pixels at most; a longer word is a line of its own.

    >>> wrapped("what a cache could have saved", 90, 12)
    ['what a cache', 'could have', 'saved']
    """
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".lstrip()
        if lines[-1] and text_px(longer, font_px, bold=bold) > most_px:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _width(letter: str) -> int:
    known = _WIDTH.get(letter)
    if known is not None:
        return known
    point, plain = ord(letter), unicodedata.normalize("NFD", letter)[0]
    if letter in "\u200d\ufe0f":
        return 0
    if plain in _WIDTH:
        return _WIDTH[plain] + _MARK
    if point in _PHRASES:
        return _LONGEST_PHRASE if point == _LONGEST else _PHRASE
    if point > 0xFFFF or unicodedata.category(letter) == "So":
        return _SIGN
    if unicodedata.east_asian_width(letter) in "WF":
        return _WIDE
    if point >= _JOINED_FROM:
        return _JOINED
    return _CAPITAL if letter.isupper() else _SMALL

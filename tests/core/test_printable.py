"""Names on a terminal do nothing but stand there."""

from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.errors import LogError
from lectr_lab.core.printable import printable

SHOWN_ALL_THE_SAME = "\n\t"


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left(text):
    """But the ends of lines, which messages have; and it can be written as UTF-8."""
    left = printable(text).encode("utf-8").decode("utf-8")

    assert all(ord(c) >= 32 or c in SHOWN_ALL_THE_SAME for c in left)
    assert not {"\x7f", "\x9b", "\u202e"} & set(left)


@given(st.text(st.characters(categories=["L", "N", "P"]) | st.just(" ")))
def test_a_decent_name_stays_as_it_is(text):
    """Of any script."""
    assert printable(text) == text


def test_every_error_is_printable():
    """Whatever a file is called."""
    assert str(LogError("a\x1b[2Jb.csv: gone")) == "a<U+001B>[2Jb.csv: gone"

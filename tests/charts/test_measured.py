"""How wide texts are, at most."""

from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.charts.measured import text_px, widest_px, wrapped

WORDS = st.text("abWi漢é🎉 ", max_size=60)


@given(text=WORDS, px=st.integers(20, 400))
def test_no_line_is_wider_than_asked_for(text, px):
    """But a word that is wider by itself; and no word is lost."""
    lines = wrapped(text, px, 12)

    assert all(text_px(line, 12) <= px or " " not in line for line in lines)
    assert " ".join(lines).split() == text.split()


@given(one=WORDS, two=WORDS)
def test_a_longer_text_is_never_narrower(one, two):
    """Widths add up, and bold letters are wider."""
    both = text_px(one + two, 11)

    assert both >= max(text_px(one, 11), text_px(two, 11))
    assert text_px(one, 11, bold=True) >= text_px(one, 11)
    assert widest_px([one, two], 11) <= both


def test_nothing_takes_no_room():
    """Of no texts, the widest is none."""
    assert widest_px([], 12) == text_px("", 12) == 0

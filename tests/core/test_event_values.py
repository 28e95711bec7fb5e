"""Lists of words: what an event says with them can be grouped by."""

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core import event_values
from lectr_lab.core.event_values import MOST_BYTES, cut


def test_words_are_short_and_plain():
    """Lower case with underscores, none of them twice in a list."""
    lists = [get_args(value) for value in vars(event_values).values()]
    for words in filter(None, lists):
        assert len(set(words)) == len(words)
        assert all(word.replace("_", "").isalpha() for word in words), words
        assert all(word == word.lower() for word in words)


@given(st.text(max_size=3), st.integers(min_value=0, max_value=2_000))
def test_a_word_is_kept_or_cut_and_marked(piece, times):
    """Whole where it fits, else its beginning; never more than the bound."""
    word = piece * times
    kept = cut(word)

    assert len(kept.encode()) <= MOST_BYTES
    if len(word.encode()) <= MOST_BYTES:
        assert kept == word
    else:
        assert kept.endswith("…")
        assert word.startswith(kept[:-1])

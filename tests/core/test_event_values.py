"""Lists of words: what an event says with them can be grouped by."""

from typing import get_args

from lectr_lab.core import event_values


def test_words_are_short_and_plain():
    """Lower case with underscores, none of them twice in a list."""
    lists = [get_args(value) for value in vars(event_values).values()]
    for words in filter(None, lists):
        assert len(set(words)) == len(words)
        assert all(word.replace("_", "").isalpha() for word in words), words
        assert all(word == word.lower() for word in words)

"""Which names have series of their own."""

from unicodedata import category

from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.metrics.labels import OTHER, Names, label


@given(names=st.lists(st.text(max_size=3), max_size=60))
def test_there_are_never_more_sets_than_the_bound_and_one(names):
    """Whatever names come, in any order; one that has a series keeps it."""
    sets = Names(most=5, width=1)
    placed = [sets.placed((name,)) for name in names]
    again = [sets.placed((name,)) for name in names]

    assert len(set(placed)) <= 6
    assert [one for one in placed if one != (OTHER,)] == [
        there for one, there in zip(placed, again, strict=True) if one != (OTHER,)
    ]


@given(name=st.text())
def test_a_label_is_one_short_printable_line(name):
    """A client's word steers no terminal, and its length is bounded."""
    kinds = {category(character) for character in label(name)}
    assert not kinds & {"Cc", "Cs", "Zl", "Zp"}
    assert len(label(name)) <= 100

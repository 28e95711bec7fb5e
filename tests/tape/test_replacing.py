"""Marks in the places of secrets."""

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.tape.replacing import (
    MARK,
    Finding,
    Rank,
    Taken,
    mark_of_its_length,
    replaced,
)

BODY = b"0123456789" * 3


def found(start, end, rank=Rank.NAME, mark=MARK):
    return Finding(start, end, rank, mark)


def text(*findings):
    return b"".join(replaced((BODY[:10],), findings)[0])


def test_places_that_overlap_are_one():
    """What it is there for, the first kind says; what only looks like one gives way."""
    look = found(2, 6, Rank.LOOK, b"mark")

    assert text(found(2, 5), found(4, 7, Rank.FORM)) == b"01[redacted]789"
    assert text(look) == b"01mark6789"
    assert text(look, found(5, 8, Rank.FORM)) == b"01234[redacted]89"
    assert text(look, found(6, 8)) == b"01mark[redacted]89"


def test_the_other_pieces_of_a_secret_go():
    """It has a mark in its first place."""
    assert text(found(1, 3), found(6, 8, mark=b"")) == b"0[redacted]34589"


SPANS = st.lists(st.tuples(st.integers(0, 29), st.integers(1, 9)), max_size=6)


@given(spans=SPANS, cuts=st.lists(st.integers(0, 30)))
def test_chunks_stay_as_many_and_what_is_outside_stays(spans, cuts):
    """However places and cuts lie."""
    edges = [0, *sorted(cuts), 30]
    chunks = [BODY[a:b] for a, b in pairwise(edges)]
    findings = [found(start, min(30, start + size), mark=b"#") for start, size in spans]

    got, used = replaced(chunks, findings)

    gone = {at for one in findings for at in range(one.start, one.end)}
    assert len(got) == len(chunks)
    assert b"".join(got).replace(b"#", b"") == bytes(
        byte for at, byte in enumerate(BODY) if at not in gone
    )
    assert len(used) == b"".join(got).count(b"#")


@given(word=st.binary(min_size=20, max_size=200), other=st.binary(min_size=20))
def test_a_mark_is_as_long_as_its_word_and_the_same_each_time(word, other):
    """Another word has another one, and none has a piece of its word."""
    mark = mark_of_its_length(word)

    assert len(mark) == len(word)
    assert mark == mark_of_its_length(word)
    assert (mark == mark_of_its_length(other)) == (word == other)


def test_marks_lead_nowhere():
    """Two words that differ in a bit have marks that have nothing in common."""
    words = [
        bytes([first]) + b"k" * 40 for first in random.Random(1).sample(range(256), 99)
    ]

    assert len({mark_of_its_length(word)[9:17] for word in words}) == 99


def test_what_is_taken_is_counted_once():
    """A secret in pieces is one; what a name called a secret is remembered."""
    taken = Taken()

    taken.add([found(0, 1), found(2, 3, mark=b""), found(4, 5)._replace(value=b"hush")])
    taken.count("of headers")
    taken.count("of headers", is_one=False)

    assert taken.counts == {"under the name of a secret": 2, "of headers": 1}
    assert taken.values == {b"hush"}

"""JSON as values."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.tape.json_values import canonical, json_value

WHOLE = st.integers(min_value=-(2**53), max_value=2**53)


@given(number=WHOLE)
def test_a_whole_number_is_one_however_it_is_written(number):
    """1, 1.0 and 1e0 are one number."""
    written = (f"{number}", f"{number}.0", f"{number}e0", repr(float(number)))

    assert {canonical(json_value(w.encode())) for w in written} == {b"%d" % number}


@given(a=st.floats(allow_nan=False, allow_infinity=False), b=WHOLE)
def test_other_numbers_stay_apart(a, b):
    """Equal texts mean equal numbers."""
    one, other = (canonical(json_value(json.dumps(v).encode())) for v in (a, b))

    assert (one == other) == (a == b)


@pytest.mark.parametrize(
    ("one", "other"),
    [("1", "true"), ("0", "false"), ("0", "null"), ("1", '"1"'), ("1e400", "2e400")],
)
def test_a_number_is_nothing_else(one, other):
    """Nor is one beyond any float another."""
    assert canonical(json_value(one.encode())) != canonical(json_value(other.encode()))


@pytest.mark.parametrize("text", [b"", b"{", b"0x1", b"[" * 100_000])
def test_what_is_no_json_is_no_value(text):
    """One kind of error for all."""
    with pytest.raises(ValueError):
        json_value(text)

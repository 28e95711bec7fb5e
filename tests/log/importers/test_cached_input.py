"""Whether input holds its cached part: what numbers tell, and what is made of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.log.importers.cached_input import convention, counts, with_cached

few = st.integers(0, 1000)


@given(given_=few, read=few, written=few, output=few, apart=st.booleans())
def test_a_total_tells_and_the_whole_is_the_same_either_way(
    given_, read, written, output, apart
):
    """Whichever way the row counts."""
    parts = read + written
    whole = given_ + parts
    row = {
        "input_tokens": given_ if apart else whole,
        "cache_read_tokens": read,
        "cache_write_tokens": str(written),
        "output_tokens": output,
    }

    how = convention(row, whole + output)

    assert how == (("apart" if apart else "included") if parts else None)
    assert counts(with_cached(row, how))[0] == whole


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"input_tokens": 5, "cache_read_tokens": 6}, "apart"),
        ({"input_tokens": 5, "cache_read_tokens": 3, "cache_write_tokens": 3}, "apart"),
        ({"input_tokens": 6, "cache_read_tokens": 6}, None),
        ({"cache_read_tokens": 6}, None),
        ({"input_tokens": 6}, None),
    ],
)
def test_more_cached_than_input_is_apart(row, told):
    """Otherwise nothing is known."""
    assert convention(row) == told

"""How long none of a group's requests ran."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from lectr_lab.analysis.views import pauses
from lectr_lab.analysis.views.pauses import Times, longest_pauses

_US = st.integers(0, 99) | st.sampled_from([1 << 31, 1 << 40])
_ROWS = st.lists(st.tuples(st.integers(0, 3), _US, _US), max_size=30)


def _times(rows):
    names = {"_group": pl.UInt64, "_start": pl.Int64, "_end": pl.Int64}
    ended = [(group, start, start + took) for group, start, took in rows]
    return pl.DataFrame(ended, names, orient="row")


@given(rows=_ROWS, size=st.integers(1, 7), at_once=st.integers(1, 9))
def test_held_times_say_what_all_of_them_say(rows, size, at_once):
    """In whatever batches they come, and in however many parts they are looked at."""
    whole = _times(rows)
    times = Times()
    times.add(whole.clear())
    for start in range(0, whole.height, size):
        times.add(whole[start : start + size])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pauses, "_MOST_AT_ONCE", at_once)
        found = times.pauses_taken()

    wanted = longest_pauses(whole.lazy()).collect()
    assert_frame_equal(found.sort("_group"), wanted.sort("_group"))


def test_a_row_is_held_in_12_bytes():
    """Of requests that took less than half an hour; their group is held once."""
    times = Times()
    times.add(
        _times([(1, second * 1_000_000, 1_700_000_000) for second in range(1000)])
    )

    assert sum(held.estimated_size() for held in times._held) < 12_100
    times.pauses_taken()
    assert not times._held

"""Responses that were counted."""

from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.budgets.answered import Answered


@given(ids=st.sets(st.binary(min_size=1, max_size=40), max_size=50))
def test_what_was_noted_last_is_known(tmp_path_factory, ids):
    """By every process; what was never noted is not."""
    path = tmp_path_factory.mktemp("answered") / "a"
    one, other = Answered(path), Answered(path)
    for name in ids:
        assert not other.has(name)
        one.note(name)
        assert other.has(name)
    one.close()
    other.close()

"""The course of restarts, a short one."""

import asyncio

import pytest
from restart_under_load import run


@pytest.mark.slow
def test_a_restart_under_load_fails_nobody(tmp_path):
    """On connections that are kept, and on one each; rows are the replies."""
    course, orders, logged = asyncio.run(run(tmp_path, 2_500, 2, every_s=2.0))

    assert course.failed == {}
    assert orders >= 1
    assert min(course.replies.values()) > 100
    assert logged == sum(course.replies.values()) == 2_500

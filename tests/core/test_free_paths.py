"""What no provider bills a call of."""

from lectr_lab.core.free_paths import FREE_PATHS
from lectr_lab.core.routing.paths import logged_path, operation


def test_each_stands_there_once():
    """And none of them is a call of an operation that is billed."""
    assert len(set(FREE_PATHS)) == len(FREE_PATHS)
    assert not {"/v1/responses", "/v1/chat/completions"} & set(FREE_PATHS)


def test_every_free_path_is_one_that_the_log_can_have():
    """A path written otherwise would free nothing."""
    for path in FREE_PATHS:
        asked = path.replace("*", "id_1").encode()
        assert (logged_path(asked), operation(asked)) == (path, "other")

"""What is kept of a reply while it is read."""

import pytest

from lectr_lab.core.llm_api.dialect import Answer, Failure, error_class, take_failure


def test_a_reason_given_once_stays():
    """Later chunks without one do not take it back."""
    answer = Answer()

    answer.choose(0, "stop")
    answer.choose(0, None)

    assert answer.finish == {0: "stop"}


def test_choices_are_bounded():
    """A reply cannot fill the memory with indices."""
    answer = Answer()

    for index in range(100_000):
        answer.choose(index, None)

    assert len(answer.finish) <= 1024


def test_null_counts_take_nothing_back():
    """Blocks are merged key by key, the later ones over the earlier."""
    answer = Answer()

    for usage in ({"a": 1, "b": 2}, None, {"a": 3, "b": None}, "x"):
        answer.use(usage)

    assert answer.usage == {"a": 3, "b": 2}


@pytest.mark.parametrize("zero", [0, 0.0, None, {}, []])
def test_a_later_zero_takes_nothing_back(zero):
    """Nor one within a block, nor an empty block; a later count does."""
    answer = Answer()

    answer.use({"input": 10, "details": {"cached": 90, "written": 4}})
    answer.use({"input": zero, "output": 7, "details": zero})
    answer.use({"output": 9, "details": {"cached": zero, "written": 5}})

    details = {"cached": 90, "written": 5}
    assert answer.usage == {"input": 10, "output": 9, "details": details}


def test_a_zero_that_nothing_contradicts_stands():
    """What was said to be none was not left unsaid."""
    answer = Answer()

    answer.use({"input": None})
    answer.use({"input": 0})

    assert answer.usage == {"input": 0}


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (
            {"code": "model_not_found", "type": "invalid_request_error"},
            "model_not_found",
        ),
        ({"code": None, "type": "invalid_request_error"}, "invalid_request_error"),
        ({"code": "", "type": "server_error"}, "server_error"),
        ({"code": 429, "status": "RESOURCE_EXHAUSTED"}, "RESOURCE_EXHAUSTED"),
        ({"code": "404"}, "404"),
        ({"code": 502}, "502"),
        ({"code": True}, None),
        ({"code": "a sentence, say", "type": "t"}, "t"),
        ({"type": "error"}, None),
        ({}, None),
        ("model not found", None),
        (None, None),
    ],
)
def test_an_errors_class_is_its_most_telling_name(error, named):
    """The code, else type, else status; digits only where there is nothing else."""
    assert error_class(error) == named


def test_the_first_error_names_the_failure():
    """What follows an error is its consequence."""
    answer = Answer()

    for error in ({"code": "first_one"}, {"code": "second_one"}):
        take_failure(answer, Failure(error=error))

    assert (answer.error_type, answer.failed) == ("first_one", True)

"""Whether work is simple: by its task, else by its shape."""

import pytest

from lectr_lab.analysis.recommend.judgement import judge

SIMPLE = {
    "org": "acme",
    "feature": "triage",
    "task": None,
    "requests": 100,
    "counted": 100,
    "beside_reasoning": False,
    "n_short_answer": 100,
    "n_short_prompt": 100,
    "n_long_prompt": 0,
    "n_low_temperature": 0,
    "n_json": 0,
    "n_deep_schema": 0,
    "n_reasoning": 0,
    "n_tools": 0,
    "n_pictures_or_sound": 0,
}


def judged(**signs):
    return judge(SIMPLE | signs)


@pytest.mark.parametrize("task", ["classification", "summarisation", "extraction"])
def test_a_declared_task_is_the_strongest_signal(task):
    """High, whatever the shape."""
    found = judged(task=task, n_short_prompt=0, n_tools=100)

    assert (found.confidence, found.careful) == ("high", False)
    assert found.reasons == (f"declared as {task}",)


@pytest.mark.parametrize(
    "task, sign",
    [
        ("summarisation", {"n_long_prompt": 11}),
        ("extraction", {"n_deep_schema": 11}),
        ("classification", {"n_short_answer": 49}),
        ("classification", {"n_reasoning": 11}),
    ],
)
def test_doubts_make_careful_and_are_said(task, sign):
    """Still high, but the nearest target; with the share in words."""
    found = judged(task=task, **sign)

    assert (found.confidence, found.careful) == ("high", True)
    assert " % of 100 requests " in found.reasons[1]


@pytest.mark.parametrize("task", [None, "", "summarization", "chat", "generation"])
def test_without_a_known_task_the_shape_decides(task):
    """Medium at most, however clear the signs."""
    clear = {"n_json": 100, "n_low_temperature": 100}

    assert judged(task=task, **clear).confidence == "medium"
    assert judged(task=task, **clear).careful


@pytest.mark.parametrize(
    "sign, words",
    [
        ({"n_reasoning": 1}, "reasoning"),
        ({"beside_reasoning": True}, "declared as reasoning"),
        ({"n_long_prompt": 11}, "prompts of more than 8,000"),
        ({"n_deep_schema": 11}, "schemas"),
        ({"n_tools": 11}, "tools"),
        ({"n_pictures_or_sound": 11}, "images or audio"),
        ({"n_short_answer": 80}, "80 % of 100 requests have answers"),
        ({"requests": 20, "counted": 20, "n_short_answer": 20}, "too few to tell"),
    ],
)
@pytest.mark.parametrize("task", [None, "generation"])
def test_each_sign_against_is_enough(task, sign, words):
    """And is the reason given."""
    found = judged(task=task, **sign)

    assert found.confidence is None
    assert words in " ".join(found.reasons)


def test_short_answers_alone_say_little():
    """Low without a task; nothing for generation, whose task says neither."""
    assert judged(n_short_prompt=50).confidence == "low"
    assert judged(n_short_prompt=50, task="generation").confidence is None


def test_a_feature_that_is_not_named_is_many():
    """Untagged traffic is low at most."""
    assert judged(feature=None, n_json=100).confidence == "low"


def test_a_share_counts_and_not_a_mean():
    """A fifth of long answers hides in no average."""
    assert judged(n_short_answer=79).confidence is None

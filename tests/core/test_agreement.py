"""Two answers compared."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.agreement import (
    MAX_CHARS,
    MAX_WORDS,
    agreement,
    judge,
    label_match,
    rouge_l,
)

TASKS = st.sampled_from(
    [None, "classification", "extraction", "summarisation", "generation", "odd"]
)
FORMATS = st.sampled_from([None, "text", "json_object", "json_schema"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)
CALLS = st.fixed_dictionaries(
    {
        "tool_calls": st.lists(
            st.fixed_dictionaries({"name": st.text(max_size=4), "arguments": JSON}),
            max_size=3,
        )
    }
)
ANSWERS = (
    st.text(max_size=40)
    | st.lists(st.sampled_from("a b c yes no".split()), max_size=12).map(" ".join)
    | JSON.map(json.dumps)
    | CALLS.map(json.dumps)
)


@given(TASKS, FORMATS, ANSWERS, ANSWERS)
def test_agreement_is_symmetric_and_between_0_and_1(task, form, one, other):
    """No order of the two, and no number outside the scale."""
    score = agreement(task, form, one, other)

    assert score == agreement(task, form, other, one)
    assert score is None or 0 <= score <= 1


@given(TASKS, ANSWERS)
def test_an_answer_agrees_with_itself(task, answer):
    """Equal answers score 1; blank ones cannot be judged."""
    score = agreement(task, None, answer, answer)

    assert score == (1.0 if answer.strip() else None)


def fields_agree(one, other):
    return agreement("extraction", "json_object", one, other)


@given(JSON, JSON)
def test_json_agrees_with_itself_in_every_form(value, other):
    """Spacing, order of names and a fence do not count."""
    plain = json.dumps(value)
    fenced = f"```json\n{json.dumps(value, indent=2, sort_keys=True)}\n```"

    assert fields_agree(plain, fenced) == 1.0
    assert fields_agree(plain, json.dumps(other)) == fields_agree(
        json.dumps(other), fenced
    )


@given(st.lists(st.sampled_from("abc")), st.lists(st.sampled_from("abc")))
def test_rouge_is_the_textbooks(one, other):
    """The rows of bits find what the table of the textbook finds."""
    table = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, a in enumerate(one, 1):
        for j, b in enumerate(other, 1):
            best = max(table[i - 1][j], table[i][j - 1])
            table[i][j] = table[i - 1][j - 1] + 1 if a == b else best
    words = len(one) + len(other)
    expected = 2 * table[-1][-1] / words if words else 1.0

    assert rouge_l(" ".join(one), " ".join(other)) == expected


@pytest.mark.parametrize(
    ("one", "other", "score"),
    [
        ('{"a": 1, "b": "X y"}', '{"b": "x  Y", "a": 1.0}', 1.0),
        ('{"a": 1}', '{"a": "1"}', 0.0),
        ('{"a": true}', '{"a": 1}', 0.0),
        ('{"a": 1, "b": null}', '{"a": 1}', 1.0),
        ('{"a": {"b": [1, 2, 3]}}', '{"a": {"b": [3, 4, 1]}}', 2 / 3),
        ('[{"a": 1, "b": 2}, {"a": 3, "b": 4}]', '[{"a": 1}, {"a": 3}]', 2 / 3),
        ('[{"a": 1, "b": 2}, {"a": 3, "b": 4}]', '[{"a": 3}, {"a": 1}]', 0.0),
        ('{"a": []}', '{"a": {}}', 0.0),
        ('{"a": 1}', "I cannot", 0.0),
        ('{"a": NaN}', '{"a": NaN}', 1.0),
    ],
)
def test_fields_are_compared_as_values(one, other, score):
    """What counts as the same field, by example."""
    assert fields_agree(one, other) == pytest.approx(score)


def called(*calls):
    return json.dumps(
        {"tool_calls": [{"name": name, "arguments": args} for name, args in calls]}
    )


def test_tool_calls_agree_by_name_and_arguments():
    """Arguments to another tool count for nothing; prose instead of a call neither."""
    berlin = called(("weather", '{"city": "Berlin", "days": 2}'))

    assert judge(None, None, berlin, berlin) == ("tool_calls", 1.0)
    other_days = called(("weather", '{"city": "berlin", "days": 3.0}'))
    assert agreement("generation", None, berlin, other_days) == pytest.approx(2 / 3)
    other_tool = called(("news", '{"city": "Berlin", "days": 2}'))
    assert agreement(None, None, berlin, other_tool) == 0.0
    assert agreement(None, None, berlin, "It is sunny in Berlin.") == 0.0


@pytest.mark.parametrize(
    ("task", "form", "one", "other", "measure"),
    [
        ("classification", None, "positive", "negative", "label"),
        ("classification", None, '{"l": "a"}', '{"l": "A"}', "label"),
        ("extraction", None, '{"a": 1}', "none", "field_f1"),
        ("generation", "json_schema", '{"a": 1}', '{"a": 1}', "field_f1"),
        ("summarisation", None, "yes", "yes", "rouge_l"),
        (None, None, "yes", "no", "label"),
        (None, None, "yes", "no, for it rains all day", "rouge_l"),
    ],
)
def test_the_task_or_the_form_chooses_the_measure(task, form, one, other, measure):
    """The header is the strongest sign; without it the answers' form decides."""
    assert judge(task, form, one, other).measure == measure


def test_reasoning_is_not_judged_by_its_words():
    """Not even equal words: what counts there is not what they show."""
    assert agreement("reasoning", None, "no, because", "no, because") is None


def test_labels_keep_marks_that_are_all_they_have():
    """`+` and `-` differ, and so do pictures."""
    assert label_match("+", "-") == 0.0
    assert label_match("👍", "👎") == 0.0
    assert label_match('"Spam"', "spam") == 1.0


def test_chinese_is_compared_by_characters():
    """A language without spaces has words all the same."""
    assert rouge_l("今天天气很好", "今天天气不好") == pytest.approx(10 / 12)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a b " * (MAX_WORDS // 2), "b a " * (MAX_WORDS // 2)),
        (" ".join(map(str, range(MAX_WORDS))), " ".join(map(str, range(7, MAX_WORDS)))),
        ("[" * 60_000, "]" * 60_000),
        ("[" * 900 + "1,2" * 9_000 + "]" * 900, "[" * 900 + "1" + "]" * 900),
        ("```json\n" * 9_000, "```\n" * 9_000),
        ("{" + ",".join(f'"{i}":[{i}]' for i in range(50_000)) + "}", "{}"),
        ("1" * 60_000, "-" * 60_000),
        ("a" + "_" * 300_000 + "a", "```\na" + "\n" * 300_000 + "a```"),
        (
            "".join(map(chr, range(32, 50_000))),
            "".join(map(chr, range(50_000, 32, -1))),
        ),
    ],
)
def test_hostile_answers_take_bounded_time(one, other):
    """Whatever a model writes, a comparison takes about a second at most."""
    for task in (None, "classification", "extraction", "generation"):
        began_s = time.process_time()
        agreement(task, None, one, other)
        assert time.process_time() - began_s < 3


def test_what_is_too_long_is_not_judged():
    """Above the bounds there is no number, not a wrong one."""
    assert agreement(None, None, "a" * (MAX_CHARS + 1), "b") is None
    assert rouge_l("a " * (MAX_WORDS + 1), "b") is None

"""How far two answers to the same request say the same: a number in [0, 1].

Labels are equal or not, JSON is compared field by field, tool calls by name and
arguments, prose by its longest common subsequence of words (ROUGE-L). Every way is
symmetric, 1 on equals, and bounded in time whatever a model wrote. What cannot be
judged is None: two blank answers, answers longer than the bounds below, and reasoning,
whose worth is not in its words.
"""

import re
import unicodedata
from collections import Counter
from math import isnan
from typing import Any, NamedTuple

from lectr_lab.core.llm_api.lenient_json import loads
from lectr_lab.core.recommendation import is_protected

MAX_CHARS = 1_000_000
MAX_WORDS = 40_000
_SHORT_WORDS = 3  # an answer that is no longer, to an untagged request, is a label

_FENCE = re.compile(r"```[\w-]*[ \t]*\n")
# Chinese and Japanese have no spaces: each character counts as a word.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+")
_NO_JSON = object()


class Judged(NamedTuple):
    """A score, and what it measures: label, field_f1, tool_calls or rouge_l."""

    measure: str
    score: float


def agreement(
    task: str | None, response_format: str | None, present: str, candidate: str
) -> float | None:
    """How far two answers agree, by the measure that fits the task.

    Args:
        task: as in the task header; without it the answers' form decides.
        response_format: as in the event: `json_object`, `json_schema`, `text` or None.
        present: the present model's answer; tool calls as `read_answer` writes them.
        candidate: the other's.

    Returns:
        In [0, 1]: 1 says the same. None where it cannot be judged.

    >>> agreement("classification", None, "Positive.", " positive")
    1.0
    >>> agreement("extraction", "json_object", '{"a": 1, "b": 2}', '{"a": 1.0, "b": 3}')
    0.5
    >>> round(agreement("summarisation", None, "the cat sat", "the cat ran"), 2)
    0.67
    >>> agreement("reasoning", None, "yes", "yes") is None
    True
    """
    judged = judge(task, response_format, present, candidate)
    return judged.score if judged else None


def judge(
    task: str | None, response_format: str | None, present: str, candidate: str
) -> Judged | None:
    """As `agreement`, with the name of the measure.

    >>> judge(None, None, "yes", "Yes!")
    Judged(measure='label', score=1.0)
    """
    if is_protected(task) or max(len(present), len(candidate)) > MAX_CHARS:
        return None
    if not present.strip() and not candidate.strip():
        return None
    values = parsed(present), parsed(candidate)
    if any(_called(value) is not None for value in values):
        return Judged("tool_calls", _call_f1(*values))
    if task == "classification":
        return Judged("label", _same_label(present, candidate, values))
    wants_json = (response_format or "").startswith("json")
    objects = [isinstance(value, dict | list) for value in values]
    if wants_json or (task in (None, "extraction") and any(objects)):
        return Judged("field_f1", _value_f1(*values))
    if task in (None, "extraction") and _short(present) and _short(candidate):
        return Judged("label", label_match(present, candidate))
    score = rouge_l(present, candidate)
    return None if score is None else Judged("rouge_l", score)


def label_match(one: str, other: str) -> float:
    """Whether two labels are the same, less case, spaces and the marks around them.

    >>> label_match("**Refund  request**", "refund request."), label_match("+", "-")
    (1.0, 0.0)
    """
    return float(_label(one) == _label(other))


def rouge_l(one: str, other: str) -> float | None:
    """F1 of the longest common subsequence of words; None above MAX_WORDS.

    >>> rouge_l("a b c d", "a c d"), rouge_l("", "a")
    (0.8571428571428571, 0.0)
    """
    if one == other:
        return 1.0
    words, others = _words(one), _words(other)
    if not words and not others:
        return label_match(one, other)  # only marks, such as pictures
    if max(len(words), len(others)) > MAX_WORDS:
        return None
    return 2 * _common(words, others) / (len(words) + len(others))


def parsed(text: str) -> Any:
    """The JSON value of a text, or of the fenced block that it is; else a mark of none."""
    bare = text.strip()
    fence = _FENCE.match(bare)
    if fence and bare.endswith("```"):
        bare = bare[fence.end() : -3].strip()
    value = loads(bare.encode("utf-8", "replace"))
    return _NO_JSON if value is None and bare != "null" else value


def _label(text: str) -> str:
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    marks = "".join({char for char in plain if not char.isalnum()})
    return plain.strip(marks) or plain


def _same_label(present: str, candidate: str, values: tuple[Any, Any]) -> float:
    """Labels in JSON are equal where all their fields are."""
    if all(isinstance(value, dict | list) for value in values):
        return float(_value_f1(*values) == 1.0)
    return label_match(present, candidate)


def _short(text: str) -> bool:
    return len(text) <= 100 and len(_words(text)) <= _SHORT_WORDS


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _common(words: list[str], others: list[str]) -> int:
    """The length of the longest common subsequence, a whole row of bits at a time.

    Hyyrö's form: a bit of `row` turns 0 where the subsequence grows by a word.
    """
    places: dict[str, list[int]] = {}
    for place, word in enumerate(words):
        places.setdefault(word, []).append(place)
    full = (1 << len(words)) - 1
    masks = {word: _bits(places[word]) for word in set(others) if word in places}
    row = full
    for word in others:
        mask = masks.get(word)
        if mask:
            met = row & mask
            row = ((row + met) | (row - met)) & full
    return len(words) - row.bit_count()


def _bits(places: list[int]) -> int:
    row = bytearray(places[-1] // 8 + 1)
    for place in places:
        row[place // 8] |= 1 << place % 8
    return int.from_bytes(row, "little")


def _value_f1(one: Any, other: Any) -> float:
    """F1 of the fields that two JSON values share.

    A field is a path and a value: numbers are compared as numbers, texts less case and
    spaces, null is a field left out. Scalars in a list may stand in any order; objects
    in a list are compared place by place.
    """
    if one is _NO_JSON or other is _NO_JSON:
        return 0.0
    paths: dict[tuple[int, object], int] = {}
    fields, others = _fields(one, paths), _fields(other, paths)
    if not fields and not others:
        return 1.0
    shared = (fields & others).total()
    return 2 * shared / (fields.total() + others.total())


def _fields(value: Any, paths: dict[tuple[int, object], int]) -> Counter[object]:
    """Every field with its value; a path is a number, so that depth costs nothing."""
    found: Counter[object] = Counter()
    todo: list[tuple[int, Any]] = [(0, value)]
    while todo:
        path, here = todo.pop()
        if isinstance(here, dict) and here:
            inner: list[tuple[object, Any]] = [("." + k, v) for k, v in here.items()]
        elif isinstance(here, list) and here:
            inner = [(_place(i, v), v) for i, v in enumerate(here)]
        else:
            if here is not None:
                found[path, _scalar(here)] += 1
            continue
        for step, child in inner:
            todo.append((paths.setdefault((path, step), len(paths) + 1), child))
    return found


def _place(index: int, value: Any) -> object:
    return index if isinstance(value, dict | list) else None


def _scalar(value: Any) -> tuple[str, object]:
    if isinstance(value, bool):
        return "bool", value
    if isinstance(value, float) and isnan(value):
        return "number", "nan"
    if isinstance(value, int | float):
        return "number", value
    if isinstance(value, str):
        return "text", " ".join(unicodedata.normalize("NFC", value).casefold().split())
    return "empty", type(value).__name__


def _called(value: Any) -> list[Any] | None:
    """The tool calls of an answer, as `read_answer` writes them."""
    if isinstance(value, dict) and isinstance(value.get("tool_calls"), list):
        calls: list[Any] = value["tool_calls"]
        return calls
    return None


def _call_f1(one: Any, other: Any) -> float:
    """Arguments count as equal only where the tool's name and turn are the same."""
    calls, others = _called(one), _called(other)
    if calls is None or others is None:
        return 0.0
    return _value_f1(_by_name(calls), _by_name(others))


def _by_name(calls: list[Any]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for call in calls:
        call = call if isinstance(call, dict) else {}
        arguments = call.get("arguments")
        if isinstance(arguments, str):
            value = parsed(arguments)
            arguments = arguments if value is _NO_JSON else value
        turns = named.setdefault(str(call.get("name")), [])
        turns.append({"called": True, "with": arguments})
    return named

"""The same recorded prompts, answered by two models.

Requests are the same when nothing but the model differs, and whether the answer is
streamed. A prompt that was recorded several times counts once, with its first answer:
a repetition is no new evidence.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from lectr_lab.core.headers import RawHeaders
from lectr_lab.core.llm_api.answer_text import read_answer
from lectr_lab.core.llm_api.reply import ReplyFacts
from lectr_lab.core.llm_api.request import read_content, read_request
from lectr_lab.core.routing.paths import operation as operation_of
from lectr_lab.tape.cassette import Interaction
from lectr_lab.tape.compare import Request, comparable

_NOT_COMPARED = ("stream", "stream_options")


class Prompt(NamedTuple):
    """One recorded prompt of the present model. Holds content: never logged.

    `facts` is what the present model's reply counted. `candidate` is None where the
    other model has not answered yet.
    """

    one: Interaction
    operation: str
    task: str | None
    response_format: str | None
    schema: Any  # that the answer was to keep to; None where there is none
    temperature: float | None
    text: str  # what the user said last
    present: str
    candidate: str | None
    facts: ReplyFacts

    def __repr__(self) -> str:
        return f"<Prompt {self.one!r}>"


class Found(NamedTuple):
    """The prompts of a feature that the present model answered.

    `without_answer` were asked, but got an error or no whole answer.
    """

    prompts: tuple[Prompt, ...]
    without_answer: int


class _Reading(NamedTuple):
    """An interaction, read."""

    one: Interaction
    operation: str
    request: Request
    answer: str | None
    facts: ReplyFacts


def find_pairs(
    recordings: Iterable[Interaction],
    *,
    feature: str | None,
    task: str | None,
    from_model: str,
    to_model: str,
) -> Found:
    """Pair the recorded answers of two models.

    Args:
        recordings: as `read_cassettes` gives them.
        feature: whose prompts; a recording without a side file names none, and is
            taken for any.
        task: the same for the task; None is any.
        from_model: the present model, as requests or replies name it.
        to_model: the candidate; its answers count whatever feature they are of.

    Returns:
        Each distinct prompt once, in the order of the recordings.
    """
    readings: dict[object, _Reading] = {}
    answered: dict[object, str] = {}
    for reading in map(_read, recordings):
        if reading is None:
            continue
        key = reading.request.key
        if to_model in _models(reading):
            if reading.answer is not None:
                answered.setdefault(key, reading.answer)
        elif from_model in _models(reading) and _is_of(reading.one, feature, task):
            before = readings.get(key)
            if before is None or before.answer is None:
                readings[key] = reading
    prompts = [_prompt(r, answered.get(k), task) for k, r in readings.items()]
    whole = tuple(prompt for prompt in prompts if prompt is not None)
    return Found(whole, len(prompts) - len(whole))


def present_model(
    recordings: Iterable[Interaction], feature: str | None, task: str | None, but: str
) -> str | None:
    """The model that most of a feature's answered requests name, other than `but`."""
    named = Counter(
        reading.request.model
        for one in recordings
        if _is_of(one, feature, task)
        and (reading := _read(one))
        and reading.answer is not None
    )
    named.pop(but, None)
    return next((model for model, _ in named.most_common() if model), None)


def _read(one: Interaction) -> _Reading | None:
    request = comparable(
        one.method, one.uri, one.request_headers, one.request_body, None, _NOT_COMPARED
    )
    operation = operation_of(f"/v1/{request.operation}".encode())
    if operation == "other":
        return None
    encoding = _header(one.response_headers, b"content-encoding")
    text, facts = read_answer(operation, one.status, encoding, one.body)
    answer = text if one.ended == "complete" else None
    return _Reading(one, operation, request, answer, facts)


def _models(reading: _Reading) -> set[str | None]:
    return {reading.request.model, reading.facts.model_actual}


def _is_of(one: Interaction, feature: str | None, task: str | None) -> bool:
    if one.timing is None:
        return True
    return one.timing.feature == feature and task in (None, one.timing.task)


def _prompt(
    reading: _Reading, candidate: str | None, task: str | None
) -> Prompt | None:
    one = reading.one
    if reading.answer is None:
        return None
    facts = read_request(one.request_body, reading.operation)
    content = read_content(one.request_body, reading.operation)
    return Prompt(
        one=one,
        operation=reading.operation,
        task=(one.timing.task if one.timing else None) or task,
        response_format=facts.response_format if facts else None,
        schema=content.schema,
        temperature=facts.temperature if facts else None,
        text=content.last_user_text,
        present=reading.answer,
        candidate=candidate,
        facts=reading.facts,
    )


def _header(headers: RawHeaders, name: bytes) -> str:
    values = (value for key, value in headers if key.lower() == name)
    return next(values, b"").decode("latin-1")

"""Replies of `/v1/responses`, OpenAI's and Azure's.

Facts, from the recordings: each event names its kind; usage stands in the last one,
which repeats the whole response; no `[DONE]` follows.

Searches that are billed stand in `tool_usage`, as `num_requests` of `web_search`; where
it is not there, search actions are counted (OpenAI's web search guide bills these; of
those that open a page or find in one it does not say so). Not seen in the recordings.
(Guide as quoted in https://community.openai.com/t/1365861; 1236954 there reports more
searches billed than calls told: so calls are a lower bound.) Pictures that a response
had made are billed by tokens of another model, in `image_gen` there.
"""

from typing import Any

import msgspec

from lectr_lab.core.llm_api.dialect import Answer, Dialect
from lectr_lab.core.llm_api.lenient_json import count

_CALLS = ("function_call", "custom_tool_call")  # of the client's tools
# Besides searches; and a shell, where it runs in a container of the provider's.
_BILLED = ("file_search_call", "code_interpreter_call", "image_generation_call")
_TEXTS = ("response.output_text.delta", "response.refusal.delta")
_LAST = ("response.completed", "response.incomplete", "response.failed")


class Part(msgspec.Struct):
    """A piece of a message, or of a reasoning summary."""

    text: str | None = None
    refusal: str | None = None


class Action(msgspec.Struct):
    """What a web search call did."""

    type: str | None = None


class Item(msgspec.Struct):
    """One thing in the output: a message, reasoning, a call."""

    type: str | None = None
    name: str | None = None
    content: list[Part] | None = None
    summary: list[Part] | None = None
    arguments: str | None = None
    input: str | None = None
    code: str | None = None
    action: Action | None = None
    environment: Any = None  # of a shell


class Details(msgspec.Struct):
    """Why a response is incomplete."""

    reason: str | None = None


class Response(msgspec.Struct):
    """The response, whole or as far as it is known."""

    id: Any = None
    model: str | None = None
    status: str | None = None
    incomplete_details: Details | None = None
    output: list[Item] | None = None
    usage: Any = None
    service_tier: str | None = None
    tool_usage: Any = None
    error: Any = None


class ResponsesReply(Response):
    """A whole response or one event of a stream."""

    type: str | None = None
    output_index: int | None = None
    delta: str | None = None
    response: Response | None = None
    item: Item | None = None
    code: Any = None


def take_responses(answer: Answer, reply: ResponsesReply) -> None:
    """Take in a response or an event."""
    kind = reply.type or ""
    if kind in _TEXTS:
        answer.write(reply.delta)
    elif kind.endswith(".delta"):
        _take_delta(answer, kind, reply)
    elif kind == "response.output_item.added":
        if reply.item and (reply.item.type or "").endswith("_call"):
            answer.begin_untold()
            _begin_call(answer, reply.output_index, reply.item)
    elif kind == "response.output_item.done":
        _count_call(answer, reply.item or Item())
    elif kind == "error":
        answer.fail(reply.error or {"code": reply.code})
    elif reply.response is not None:
        _take_response(answer, reply.response)
        _take_tool_usage(answer, reply.response.tool_usage)
        if kind in _LAST:
            answer.complete = True
        if kind == "response.failed":
            answer.fail(reply.response.error)
    elif not kind:
        _take_whole(answer, reply)


def _take_delta(answer: Answer, kind: str, reply: ResponsesReply) -> None:
    if kind.endswith(("_arguments.delta", "_input.delta")):
        answer.call(reply.output_index, None, reply.delta or "")
    elif kind != "response.audio.delta":  # base64, not text
        answer.measure(reply.delta)


def _begin_call(answer: Answer, place: int | None, item: Item) -> None:
    if item.type in _CALLS:
        answer.call(place, item.name or "", None)


def _take_response(answer: Answer, response: Response) -> None:
    answer.model = response.model or answer.model
    answer.response_id = answer.response_id or response.id
    answer.tier = response.service_tier or answer.tier
    details = response.incomplete_details
    status = (
        response.status if response.status not in ("in_progress", "queued") else None
    )
    answer.choose(0, (details and details.reason) or status)
    answer.use(response.usage)
    answer.write(None)


def _take_whole(answer: Answer, response: Response) -> None:
    if response.status or response.usage or response.output is not None:
        _take_response(answer, response)
    for place, item in enumerate(response.output or ()):
        _take_item(answer, place, item)
        _count_call(answer, item)
    _take_tool_usage(answer, response.tool_usage)
    if response.error:
        answer.fail(response.error)


def _take_tool_usage(answer: Answer, told: Any) -> None:
    """What is billed of a response's tools; it stands where their calls are known."""
    if not isinstance(told, dict):
        return
    searches, pictures = told.get("web_search"), told.get("image_gen")
    if isinstance(searches, dict):
        answer.searches = count(searches.get("num_requests")) or answer.searches
    if isinstance(pictures, dict) and count(pictures.get("total_tokens")):
        answer.tool_calls = answer.tool_calls or 1


def _count_call(answer: Answer, item: Item) -> None:
    answer.searches += _is_search(item)
    answer.tool_calls += item.type in _BILLED or _is_hosted_shell(item)


def _is_hosted_shell(item: Item) -> bool:
    if item.type != "shell_call" or not isinstance(item.environment, dict):
        return False
    return str(item.environment.get("type")).startswith("container")


def _is_search(item: Item) -> bool:
    if item.type != "web_search_call":
        return False
    return item.action is None or item.action.type in (None, "search")


def _take_item(answer: Answer, place: int, item: Item) -> None:
    write = answer.write if item.type == "message" else answer.measure
    for part in (*(item.content or ()), *(item.summary or ())):
        write(part.text)
        write(part.refusal)
    _begin_call(answer, place, item)
    answer.call(place, None, item.arguments or item.input)
    answer.measure(item.code)


RESPONSES = Dialect(msgspec.json.Decoder(ResponsesReply), take_responses)
"""The dialect of responses."""

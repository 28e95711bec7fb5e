"""What a tokenizer would be shown of a stream: its prompt's texts and its answers'.

Only what is understood to the last token is counted: plain text, for models of which
the vocabulary is published and which think aloud or not at all. Whatever else a request
holds (tools, pictures, a schema, a setting not listed here) is billed in ways that the
text does not show; such a stream is left alone.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, NamedTuple

from lectr_lab.core.llm_api.answer_text import KeptAnswer
from lectr_lab.core.llm_api.content_encoding import BodyDecoder
from lectr_lab.core.llm_api.lenient_json import loads
from lectr_lab.core.llm_api.reply import ReplyReader

OPERATIONS = frozenset({"chat", "completions"})
"""Those whose streams report tokens only where they are asked to."""

# Models that think unseen (o1, gpt-5 …) are left out: their output is not in the text.
_ENCODINGS = {
    "o200k_base": ("gpt-4o*", "chatgpt-4o*", "gpt-4.1*", "gpt-4.5*", "gpt-5*-chat*"),
    "cl100k_base": ("gpt-4", "gpt-4-*", "gpt-3.5-turbo*", "gpt-35-turbo*"),
}
# Their tokens are not those of their text: sound, pages of the web.
_NOT_TEXT = ("*audio*", "*realtime*", "*search*", "*transcribe*", "*tts*", "*image*")

# As OpenAI documents for its chat models: each message is framed by three tokens, a
# name by one, and three begin the answer.
_PER_MESSAGE = _OF_THE_ANSWER = 3
_PER_NAME = 1

# Settings that put nothing into the prompt and bill nothing besides.
_HARMLESS = frozenset(
    "model messages prompt stream stream_options temperature top_p n stop max_tokens "
    "max_completion_tokens presence_penalty frequency_penalty logit_bias logprobs "
    "top_logprobs user seed metadata store service_tier response_format "
    "safety_identifier prompt_cache_key prompt_cache_retention".split()
)
_MESSAGE_KEYS = frozenset({"role", "content", "name", "refusal"})
_LONGEST_NAME = 200  # of a model: anybody's text


class Prompt(NamedTuple):
    """The texts of a prompt, each counted alone, and the tokens around them."""

    texts: list[str]
    framing_tokens: int


def encoding_of(model: str | None) -> str | None:
    """The vocabulary of a model of OpenAI's whose tokens are those of its text.

    >>> encoding_of("gpt-4o-mini-2024-07-18"), encoding_of("gpt-3.5-turbo")
    ('o200k_base', 'cl100k_base')
    >>> encoding_of("o3-mini"), encoding_of("gpt-4o-audio-preview"), encoding_of(None)
    (None, None, None)
    """
    if model is None or len(model) > _LONGEST_NAME:
        return None
    return _encoding_of(model.lower())


@lru_cache(256)
def _encoding_of(name: str) -> str | None:
    if any(fnmatchcase(name, pattern) for pattern in _NOT_TEXT):
        return None
    return next(
        (
            encoding
            for encoding, patterns in _ENCODINGS.items()
            if any(fnmatchcase(name, pattern) for pattern in patterns)
        ),
        None,
    )


def prompt_of(operation: str, body: bytes) -> Prompt | None:
    """The texts of a request; None where its tokens are not those of texts alone.

    Args:
        operation: as in the event, one of OPERATIONS.
        body: the bytes as received.

    >>> prompt_of("chat", b'{"messages": [{"role": "user", "content": "Hi"}]}')
    Prompt(texts=['user', 'Hi'], framing_tokens=6)
    >>> prompt_of("chat", b'{"messages": [], "tools": [{}]}') is None
    True
    """
    parsed = loads(body.removeprefix(b"\xef\xbb\xbf"))
    if not isinstance(parsed, dict) or not _is_plain(parsed):
        return None
    if operation == "completions":
        return _of_texts(parsed.get("prompt"))
    messages = parsed.get("messages")
    return _of_messages(messages) if isinstance(messages, list) else None


def _is_plain(parsed: dict[str, Any]) -> bool:
    present = {key for key, value in parsed.items() if value is not None}
    form = parsed.get("response_format") or {"type": "text"}
    kind = form.get("type") if isinstance(form, dict) else None
    return present <= _HARMLESS and kind in ("text", "json_object")


def _of_texts(texts: Any) -> Prompt | None:
    texts = texts if isinstance(texts, list) else [texts]
    known = [text for text in texts if isinstance(text, str)]
    return Prompt(known, 0) if len(known) == len(texts) else None


def _of_messages(messages: list[Any]) -> Prompt | None:
    texts: list[str] = []
    framing_tokens = _OF_THE_ANSWER
    for message in messages:
        added = _of_message(message)
        if added is None:
            return None
        texts += added.texts
        framing_tokens += added.framing_tokens
    return Prompt(texts, framing_tokens)


def _of_message(message: Any) -> Prompt | None:
    if not isinstance(message, dict):
        return None
    fields = {key: value for key, value in message.items() if value is not None}
    if not fields.keys() <= _MESSAGE_KEYS or fields.get("role") in ("tool", "function"):
        return None
    texts: list[str] = []
    for value in fields.values():
        found = [value] if isinstance(value, str) else _texts_of_parts(value)
        if found is None:
            return None
        texts += found
    return Prompt(texts, _PER_MESSAGE + _PER_NAME * ("name" in fields))


def _texts_of_parts(parts: Any) -> list[str] | None:
    if not isinstance(parts, list):
        return None
    texts = [
        part["text"]
        for part in parts
        if isinstance(part, dict)
        and part.get("type") == "text"
        and isinstance(part.get("text"), str)
    ]
    return texts if len(texts) == len(parts) else None


def answers_of(content_encoding: str, chunks: Sequence[bytes]) -> list[str] | None:
    """What each choice of a chat or completions reply says, as far as it was seen.

    Args:
        content_encoding: the reply's header, empty where it has none.
        chunks: the body as it came, a stream or not, cut anywhere.

    Returns:
        None where the body cannot be read, or says something that is no text.

    >>> answers_of("", [b'data: {"choices": [{"delta": {"con', b'tent": "Hi"}}]}'])
    ['Hi']
    """
    decoder = BodyDecoder(content_encoding)
    body = b"".join([decoder.feed(chunk) for chunk in chunks])
    if decoder.gave_up:
        return None
    answer = KeptAnswer()
    reader = ReplyReader("chat", 200, "text/event-stream", "", answer)
    reader.feed(body)
    reader.finish()
    filtered = "content_filter" in answer.finish.values()  # billed, not shown
    if answer.untold or filtered or reader.fault:
        return None
    return ["".join(pieces) for pieces in answer.texts.values()]

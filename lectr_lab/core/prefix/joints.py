"""Reads a prompt's joints (each tool, each block of the system prompt, each message): of
each a keyed digest and a length, in the order in which a cache sees them.

Nothing is decoded that need not be: what a client sends twice it writes alike, so the
digests are of the JSON as it came. Not part of it are marks for the cache, which move
from message to message; and one text is the same whether it stands alone or in a list,
for SDKs make a list of it to mark it.
"""

import re
from array import array
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import accumulate, repeat
from typing import Any
from zlib import crc32

import msgspec

from lectr_lab.core.prefix.prompt import DIGEST_BYTES, Prompt
from lectr_lab.core.prefix.rules import CacheRule

MOST_JOINTS = 20_000
"""A prompt of more is not watched: no conversation has as many, and each takes time."""

_MEDIA_CHARS = 6_000
"""What a picture or a sound counts for, about 1,500 tokens, however long its base64."""

_LEAST_LINES, _SKETCH = 8, 32
_SKETCHED_BYTES, _SKETCHED_WORDS_BYTES = 32 * 1024, 4 * 1024
_SYSTEM_ROLES = frozenset({b"system", b"developer"})
_ANSWERERS = frozenset({b"assistant", b"model"})
_MARK = re.compile(
    rb',\s*"(?:cache_control|prompt_cache_breakpoint)"\s*:\s*\{[^{}]*\}'
    rb'|"(?:cache_control|prompt_cache_breakpoint)"\s*:\s*\{[^{}]*\}\s*,?'
)
# Long words are found faster than short ones.
_MARKS = {"explicit": (b'cache_control"',)}
_ANY_MARK = (b'cache_control"', b'prompt_cache_breakpoint"')
_LEAST_BLOB_BYTES = 2048
_BLOB = re.compile(rb"[A-Za-z0-9+/=_-]{2048,}")
_HEAD = re.compile(
    rb'\s*\{\s*"role"\s*:\s*"(\w+)"(\s*,\s*"content"\s*:\s*'
    rb'(?:\[\s*\{\s*"type"\s*:\s*"(?:text|input_text|output_text)"\s*,\s*"text"\s*:\s*)?")?'
)
_TAIL_BYTES = 32
_TAIL = re.compile(rb'"\s*(?:\}\s*\])?\s*\}\s*\Z')


_NOTHING = msgspec.Raw()


class _Body(msgspec.Struct):
    """The parts of a body that are a prompt, unread."""

    messages: list[msgspec.Raw] | None = None  # chat, messages
    input: msgspec.Raw = _NOTHING  # responses
    contents: list[msgspec.Raw] | None = None  # Gemini
    system: msgspec.Raw = _NOTHING
    instructions: msgspec.Raw = _NOTHING
    systemInstruction: msgspec.Raw = _NOTHING
    system_instruction: msgspec.Raw = _NOTHING
    tools: list[msgspec.Raw] | None = None
    functions: list[msgspec.Raw] | None = None
    # Where one of these is, the prompt begins elsewhere: what is here is its end.
    previous_response_id: Any = None
    conversation: Any = None
    prompt: Any = None
    thread: Any = None
    cachedContent: Any = None
    cached_content: Any = None
    # What a cached prefix may depend on besides.
    cache_salt: msgspec.Raw = _NOTHING
    output_config: msgspec.Raw = _NOTHING
    prompt_cache_key: msgspec.Raw = _NOTHING
    reasoning: msgspec.Raw = _NOTHING
    reasoning_effort: msgspec.Raw = _NOTHING
    response_format: msgspec.Raw = _NOTHING
    speed: msgspec.Raw = _NOTHING
    text: msgspec.Raw = _NOTHING
    thinking: msgspec.Raw = _NOTHING
    tool_choice: msgspec.Raw = _NOTHING
    verbosity: msgspec.Raw = _NOTHING


class _Item(msgspec.Struct):
    """A message, or an item of a responses input."""

    role: str | None = None
    type: str | None = None


class _Joints:
    """The joints so far."""

    def __init__(self, key: bytes, marks: list[bytes], has_media: bool) -> None:
        self._key, self._marks, self._has_media = key, marks, has_media
        self.digests: list[bytes] = []
        self.chars: list[int] = []
        self.answers = bytearray()
        self.system: list[bytes] = []

    def add(self, data: bytes, answer: bool = False) -> None:
        """The next."""
        self.digests.append(
            blake2b(data, digest_size=DIGEST_BYTES, key=self._key).digest()
        )
        chars = len(data)
        if self._has_media and chars >= _LEAST_BLOB_BYTES:
            blobs = [len(found[0]) for found in _BLOB.finditer(data)]
            chars += len(blobs) * _MEDIA_CHARS - sum(blobs)
        self.chars.append(chars)
        self.answers.append(answer)

    def add_system(self, data: bytes) -> None:
        """The next, a block of the system prompt."""
        self.system.append(data)
        self.add(data)

    def unmarked(self, raw: msgspec.Raw | bytes) -> bytes:
        """A part of the body, without marks for the cache."""
        data = bytes(raw)
        for mark in self._marks:
            if mark in data:
                return _MARK.sub(b"", data)
        return data


_BODY = msgspec.json.Decoder(_Body)
_ITEM = msgspec.json.Decoder(_Item)
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

OPERATIONS = frozenset({"chat", "messages", "responses", "generate_content"})
"""What is watched: the calls that carry a conversation."""


def read_prompt(
    body: bytes, rule: CacheRule | None, key: bytes, *, has_media: bool = False
) -> Prompt | None:
    """The joints of a request's prompt.

    Args:
        body: JSON, decompressed.
        rule: by which the prompt is cached; it names the parameters to look at.
        key: of the digests, 16 to 64 bytes.
        has_media: there are pictures or sounds in it.

    Returns:
        None where the body is no prompt, or only the end of one that the provider holds.

    >>> body = b'{"messages": [{"role": "system", "content": "Be brief."}]}'
    >>> read_prompt(body, None, b"k" * 16).heads
    1
    """
    marks = _MARKS.get(rule.marks if rule else "", _ANY_MARK)
    joints = _Joints(key, [mark for mark in marks if mark in body], has_media)
    try:
        parsed = _BODY.decode(body)
        if _begins_elsewhere(parsed):
            return None
        tools = _add_tools(joints, parsed)
        heads = _add_texts(joints, parsed, rule)
        named = rule.parameters if rule else ()
        values = [_value(parsed, one.name, has_media) for one in named]
    except _UNREADABLE:
        return None
    if not 0 < len(joints.digests) <= MOST_JOINTS:
        return None
    return Prompt(
        digests=b"".join(joints.digests),
        ends=array("Q", accumulate(joints.chars)).tobytes(),
        answers=bytes(joints.answers),
        tools=tools,
        heads=heads,
        parameters=tuple(_digest(value, key) if value else b"" for value in values),
        sketch=_sketch(b"\n".join(joints.system), key),
    )


def _begins_elsewhere(body: _Body) -> bool:
    held = (body.previous_response_id, body.conversation, body.cachedContent)
    thread = body.thread if isinstance(body.thread, dict) else {}
    continued = thread.get("type") == "continue"
    templated = isinstance(body.prompt, dict)
    return continued or templated or bool(body.cached_content or any(held))


def _add_tools(joints: _Joints, body: _Body) -> int:
    """How many there are."""
    for tool in [*(body.tools or ()), *(body.functions or ())]:
        joints.add(joints.unmarked(tool))
    return len(joints.digests)


def _add_texts(joints: _Joints, body: _Body, rule: CacheRule | None) -> int:
    """The system prompt, and what was said; how many joints there are before that."""
    systems = (body.system, body.instructions, body.systemInstruction)
    for raw in (*systems, body.system_instruction):
        for block in _blocks(bytes(raw), rule):
            joints.add_system(joints.unmarked(block))
    heads = None
    for raw in _items(body):
        role, kind, data = _message(joints.unmarked(raw))
        if heads is None and role in _SYSTEM_ROLES:
            joints.add_system(data)
            continue
        heads = len(joints.digests) if heads is None else heads
        joints.add(data, role in _ANSWERERS or _is_part_of_answer(role, kind))
    return len(joints.digests) if heads is None else heads


def _items(body: _Body) -> Sequence[msgspec.Raw]:
    if body.messages is not None or body.contents is not None:
        return body.messages or body.contents or ()
    given = bytes(body.input)
    if given.lstrip()[:1] == b"[":
        return _ITEMS.decode(given)
    return [body.input] if given else ()


def _blocks(raw: bytes, rule: CacheRule | None) -> Iterator[bytes]:
    if not raw or raw == b"null":
        return
    blocks = map(bytes, _ITEMS.decode(raw)) if raw[:1] == b"[" else [raw]
    unhashed = rule.unhashed_system if rule is not None else None
    for block in blocks:
        if unhashed is None or not _begins(block, unhashed.encode()):
            yield block


def _begins(block: bytes, words: bytes) -> bool:
    at = block.find(words, 0, 200)
    return at > 0 and block[at - 1 : at] == b'"'


def _message(data: bytes) -> tuple[bytes | None, str | None, bytes]:
    """Who says it, what it is, and the message in one form.

    Most begin with their role, and many have nothing behind their text.
    """
    head = _HEAD.match(data)
    if head is None:
        if data[:1] != b"{":
            return b"user", None, data  # a text alone
        item = _ITEM.decode(data)
        role = None if item.role is None else item.role.encode()
        return role, item.type, data
    begin = head.end(2)
    if begin > 0:
        end = _end_of_text(data, begin)
        data = data if end is None else head[1] + b":" + data[begin:end]
    return head[1], None, data


def _end_of_text(data: bytes, begin: int) -> int | None:
    """Where a text ends that has nothing behind it."""
    for tail in (b'"}]}', b'"}'):  # nearly always
        if data.endswith(tail):
            return len(data) - len(tail)
    found = _TAIL.search(data, max(len(data) - _TAIL_BYTES, begin))
    return None if found is None else found.start()


def _is_part_of_answer(role: bytes | None, kind: str | None) -> bool:
    """A model said it, and not as a message of its own: a call, its reasoning."""
    said = kind == "reasoning" or (kind or "").endswith("_call")
    return role is None and said


def _value(parsed: _Body, name: str, has_media: bool) -> bytes:
    """The value of a field that a rule names; nothing where it is not there."""
    if name == "images":
        return b"1" if has_media else b""
    first, _, inner = name.partition(".")
    raw = getattr(parsed, first)
    if raw is _NOTHING:
        return b""  # nearly every one
    value = bytes(raw)
    if inner:
        fields = _OBJECT.decode(value) if value[:1] == b"{" else {}
        value = bytes(fields.get(inner, b""))
    return b"" if value == b"null" else value


def _digest(data: bytes, key: bytes) -> bytes:
    return blake2b(data, digest_size=DIGEST_BYTES, key=key).digest()


def _sketch(system: bytes, key: bytes) -> bytes:
    """The least of its lines' hashes (of its words', where it has few lines): two texts
    that are mostly alike share most of them."""
    parts = system[:_SKETCHED_BYTES].split(b"\\n")
    if len(parts) < _LEAST_LINES:
        parts = system[:_SKETCHED_WORDS_BYTES].split(b" ")
    hashes = map(crc32, parts, repeat(crc32(key)))
    return array("I", sorted(set(hashes))[:_SKETCH] if system else ()).tobytes()

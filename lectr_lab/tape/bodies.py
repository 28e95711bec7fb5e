"""The texts of a body: of JSON, of a stream of events, of a form, of anything.

What is valid JSON is read by its strings; what is not, as it stands and by what looks
like strings. A stream's pieces of one text are read alone and put together, whoever
speaks in between.
"""

import re
from collections import defaultdict
from collections.abc import Iterator

import msgspec

from lectr_lab.tape.json_texts import (
    SHORTEST,
    Path,
    Text,
    begins_json,
    texts_of,
    within,
)
from lectr_lab.tape.views import Joined, Slice, View, Whole

_LINE = re.compile(rb"^(?:data:)?[ \t]*+((?=[\[{])[^\r\n]*+)", re.MULTILINE)


def texts_in(body: bytes) -> Iterator[Text]:
    """Whatever a body says, once or twice; every byte of it but JSON's own is in one.

    >>> stream = b'data: {"delta": "se"}\\n\\ndata: {"delta": "cret"}\\n\\n'
    >>> [text.view.data for text in texts_in(stream)][-1]
    b'secret'
    """
    whole = Whole(body)
    if begins_json(body):
        yield from texts_of(whole)
        if not _is_json(body):
            yield Text(whole, "plain")
        return
    pieces: dict[Path, list[Text]] = defaultdict(list)
    behind, seen = 0, set[bytes]()
    for line in _LINE.finditer(body):
        start, end = line.span(1)
        document = Slice(whole, start, end)
        texts = list(texts_of(document, shortest=1, seen=seen))
        for text in texts:
            if text.its is not None and text.kind in ("plain", "secret"):
                pieces[text.path].append(text)
        yield from (t for t in texts if t.kind == "secret" or _is_long(t))
        if _is_json(document.data):
            yield from _between(whole, behind, start)
            behind = end
    yield from _between(whole, behind, len(body))
    for texts in pieces.values():
        yield from _joined(texts)


def _joined(texts: list[Text]) -> Iterator[Text]:
    """The pieces of one text as one."""
    if len(texts) < 2:
        return
    # What is the same each time is no text in pieces: together it looks like nothing.
    is_one = len({text.view.data for text in texts}) > 1
    together = Text(Joined([t.view for t in texts]), "plain" if is_one else "id")
    yield together
    yield from within(together)


def _between(whole: View, start: int, end: int) -> Iterator[Text]:
    if end - start >= SHORTEST:
        yield Text(Slice(whole, start, end), "plain")


def _is_long(text: Text) -> bool:
    return len(text.view.data) >= SHORTEST


def _is_json(data: bytes) -> bool:
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True

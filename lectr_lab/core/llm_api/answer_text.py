"""What a reply says: its texts, or the tools that it calls.

`reply.ReplyReader` measures every reply and keeps none. This keeps one that is to be
compared or counted, from a recording or, where the operator asked for it, from memory.
"""

import json
from collections import defaultdict
from typing import NamedTuple

from lectr_lab.core.llm_api.dialect import Answer
from lectr_lab.core.llm_api.reply import ReplyFacts, ReplyReader

_STREAM = "text/event-stream"  # a hint: what begins as JSON is read as JSON


class KeptAnswer(Answer):
    """An answer with its texts, as long as somebody holds it. No reasoning is kept.

    `texts` are those of each choice, in pieces, and `calls` the names and arguments of
    each call. `untold` is true where the texts do not show all of the answer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.texts: defaultdict[int, list[str]] = defaultdict(list)
        self.calls: dict[tuple[int, object], tuple[list[str], list[str]]] = {}
        self.untold = False

    def write(self, text: str | None, choice: int = 0) -> None:
        self.measure(text)
        pieces = self.texts[choice]
        if text is not None:
            pieces.append(text)

    def call(
        self, place: object, name: str | None, arguments: str | None, choice: int = 0
    ) -> None:
        super().call(place, name, arguments)
        at = (choice, place)
        if name is not None:
            self.calls.setdefault(at, ([], []))[0].append(name)
        if arguments and at in self.calls:
            self.calls[at][1].append(arguments)

    def begin_untold(self) -> None:
        super().begin_untold()
        self.untold = True


class AnswerText(NamedTuple):
    """One answer. `text` is what `agreement` compares; tool calls stand there as JSON.

    It is None where the reply is an error, no answer of its operation, or unreadable.
    """

    text: str | None
    facts: ReplyFacts


def read_answer(
    operation: str, status: int, content_encoding: str, body: bytes
) -> AnswerText:
    """Read the first choice of a whole reply or stream. Never raises.

    Args:
        operation: as in the event.
        status: HTTP status.
        content_encoding: the header's value.
        body: every byte of the reply's body, as the provider sent it.

    >>> body = b'{"choices": [{"message": {"content": "Yes"}, "finish_reason": "stop"}]}'
    >>> answer = read_answer("chat", 200, "", body)
    >>> answer.text, answer.facts.finish_reason
    ('Yes', 'stop')
    """
    answer = KeptAnswer()
    reader = ReplyReader(operation, status, _STREAM, content_encoding, answer)
    reader.feed(body)
    facts = reader.finish()
    readable = not answer.failed and reader.fault is None
    return AnswerText(_text(answer) if readable else None, facts)


def _text(answer: KeptAnswer) -> str | None:
    calls = [
        {"name": next(filter(None, names), ""), "arguments": "".join(pieces) or "{}"}
        for (choice, _), (names, pieces) in answer.calls.items()
        if choice == 0
    ]
    if calls:
        told = {"tool_calls": calls}  # half a surrogate pair may be in it
        return json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    return "".join(answer.texts[0]) if answer.texts[0] else None

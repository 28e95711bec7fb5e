"""What a reply has said so far, whichever API it is of.

Each API has a dialect: one shape for its whole replies and the events of its streams,
and one function that writes what it says into an `Answer`. It measures texts and keeps
none; a `KeptAnswer`, for whoever compares or counts what is said, keeps them too.
"""

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from lectr_lab.core.llm_api.lenient_json import name

_MAX_CHOICES = 1024  # more are not told apart
_MAX_COUNTS = 64  # of a usage block; providers write twenty at most

_Shape = TypeVar("_Shape", bound=msgspec.Struct)


class Answer:
    """The facts of one reply, gathered from its pieces; of its texts, the length."""

    model: str | None = None
    response_id: Any = None  # what a provider wrote there
    tier: str | None = None
    chars: int | None = None
    searches = 0
    tool_calls = 0  # others that the provider ran and bills
    images: int | None = None
    seconds: float | None = None  # of sound
    units: Any = None  # of ranking
    error_type: str | None = None
    failed = False
    content_started = False
    complete = False

    def __init__(self) -> None:
        self.finish: dict[int, str | None] = {}  # reason by choice
        self.usage: dict[str, Any] = {}
        self.timings: dict[str, Any] = {}

    @property
    def all_said(self) -> bool:
        """Why each choice stopped, and what was used: no event after it says more."""
        reasons = self.finish.values()
        return bool(self.usage) and bool(reasons) and None not in reasons

    def choose(self, index: int, reason: str | None) -> None:
        """There is a choice of this index; a reason given once stays."""
        if index in self.finish or len(self.finish) < _MAX_CHOICES:
            self.finish[index] = reason or self.finish.get(index)

    def measure(self, text: str | None, choice: int = 0) -> None:
        """More that is written, and not to be shown: reasoning, a server's tools."""
        if text:
            self.chars = (self.chars or 0) + len(text)
            self.content_started = True
        elif self.chars is None:
            self.chars = 0

    write = measure
    """More of a choice's text: here its length is all that is wanted."""

    def call(
        self, place: object, name: str | None, arguments: str | None, choice: int = 0
    ) -> None:
        """More of a call of the client's tools.

        Args:
            place: which of the choice's calls it is.
            name: of the tool; None goes on with a call that began, if one did.
            arguments: JSON, or a piece of it.
            choice: its index.
        """
        if arguments is not None:
            self.measure(arguments)

    def begin_untold(self) -> None:
        """Content began that its texts do not show: a sound, a call."""
        self.content_started = True

    def use(self, usage: Any) -> None:
        """Later counts replace earlier ones, key by key: streams repeat, not add. A
        count never shrinks to nothing: gateways repeat as 0 what they do not say."""
        if isinstance(usage, dict):
            few = len(usage) <= _MAX_COUNTS and None not in usage.values()
            first = few and not self.usage  # of nearly every reply the only one
            self.usage = usage if first else _said_later(self.usage, usage)

    def fail(self, error: Any) -> None:
        """The provider said that it failed: the reply ends here."""
        self.failed = self.complete = True
        self.error_type = self.error_type or error_class(error)


def _said_later(known: dict[str, Any], usage: dict[str, Any]) -> dict[str, Any]:
    """Both, with a block's own blocks merged alike; of too many counts, the known."""
    both = dict(known)
    for key, value in usage.items():
        old = both.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            both[key] = _said_later(old, value)
        elif value or (value is not None and not old):
            both[key] = value
    return both if len(both) <= _MAX_COUNTS else known


class Dialect(NamedTuple, Generic[_Shape]):
    """How one API's replies and stream events are read."""

    decoder: msgspec.json.Decoder[_Shape]
    take: Callable[[Answer, _Shape], None]


def error_class(error: Any) -> str | None:
    """The class of an error object: its code, which is specific, else its type.

    OpenAI's type is `invalid_request_error` for nearly everything, Gemini's class is
    in `status`, and a code in digits says what the HTTP status says.

    >>> error_class({"type": "requests", "code": "rate_limit_exceeded"})
    'rate_limit_exceeded'
    >>> error_class({"code": 429, "status": "RESOURCE_EXHAUSTED"})
    'RESOURCE_EXHAUSTED'
    """
    if not isinstance(error, dict):
        return None
    found = [error.get(key) for key in ("code", "type", "status")]
    names = [name(str(s)) for s in found if type(s) in (str, int)]
    told = [n for n in names if n and n != "error"]
    return next((n for n in told if not n.isdigit()), next(iter(told), None))


class Failure(msgspec.Struct):
    """An error body; the object may stand at its top."""

    error: Any = None
    type: Any = None
    code: Any = None
    status: Any = None


def take_failure(answer: Answer, reply: Failure) -> None:
    """Read `{"error": {…}}`, or the same without its frame."""
    top = {"type": reply.type, "code": reply.code, "status": reply.status}
    answer.fail(reply.error if isinstance(reply.error, dict) else top)


FAILURE = Dialect(msgspec.json.Decoder(Failure), take_failure)
"""Any API's reply whose status says that it failed."""

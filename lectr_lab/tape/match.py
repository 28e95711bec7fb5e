"""Which recording answers a request, and if none does, which came nearest.

Two requests are the same when method, operation, query, model, body and provider are:

- The operation is the path behind the provider's own prefix (`/v1`, `/openai/v1`,
  `/v1beta/openai`, `/openai/deployments/<name>`), so that what was recorded from a
  local server also plays as any provider.
- The model is the body's, or Azure's deployment in the path.
- JSON is compared as values: neither the order of names nor spacing counts.
- Keys count nowhere: both sides are scrubbed first, and neither does Azure's
  api-version, which belongs to the operator.
- A recording of a host that is no known provider's may play as any.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from lectr_lab.core.headers import RawHeaders
from lectr_lab.tape.cassette import Interaction
from lectr_lab.tape.marks import clean, marks_for

_PREFIX = re.compile(
    r"^.*?/+(?:openai/+deployments/+(?P<deployment>[^/]+)|(?:v1beta/+)?openai(?:/+v1)?|v1)"
    r"/+(?=[^/])"
)
_NOT_COMPARED = {"api-version", "key", "api-key", "api_key", "token", "access_token"}
_MAX_SHOWN = 6
_MAX_MODEL_CHARS = 80


class Request(NamedTuple):
    """A request as it is compared. `body` is None where it is not a JSON object."""

    method: str
    operation: str
    query: tuple[tuple[str, str], ...]
    model: str | None
    canonical: bytes
    body: dict[str, Any] | None
    provider: str | None

    @property
    def key(self) -> tuple[object, ...]:
        """What must be equal; model and provider can be left open."""
        return self.method, self.operation, self.query, self.canonical


def comparable(
    method: str, url: str, headers: RawHeaders, body: bytes, provider: str | None
) -> Request:
    """A request without what does not count.

    Args:
        method: in upper case.
        url: whole, as sent.
        headers: only to know the request's keys, wherever else they stand.
        body: as sent.
        provider: None where it can be any.

    >>> comparable("GET", "http://x/openai/v1/models?b=2&a=1", (), b"", None)[:3]
    ('GET', 'models', (('a', '1'), ('b', '2')))
    """
    marks = marks_for(headers, url)
    parts = urlsplit(url)
    path = clean(parts.path.encode(), marks).decode()
    deployment, operation = split_path(path)
    asked = clean(parts.query.encode(), marks).decode()
    query = sorted(
        (name, value)
        for name, value in parse_qsl(asked, keep_blank_values=True)
        if name.lower() not in _NOT_COMPARED
    )
    sent = clean(body, marks)
    document = _object(sent)
    model = unquote(deployment) if deployment else None
    if document is not None:
        named = document.pop("model", None)
        model = named if isinstance(named, str) else model
        sent = msgspec.json.encode(document, order="sorted")
    return Request(method, operation, tuple(query), model, sent, document, provider)


def split_path(path: str) -> tuple[str | None, str]:
    """Azure's deployment, if there is one, and what follows a provider's own prefix.

    >>> split_path("/openai/deployments/mine/chat/completions")
    ('mine', 'chat/completions')
    """
    prefix = _PREFIX.match(path)
    if prefix is None:
        return None, path.lstrip("/")
    return prefix["deployment"], path[prefix.end() :]


class Tape:
    """Recordings, and how often each was played: the n-th same request gets the n-th.

    After the last it starts again from the first.
    """

    def __init__(self, interactions: Iterable[Interaction]) -> None:
        self._recorded = [(_of(one), one) for one in interactions]
        self._by_key: dict[object, list[int]] = defaultdict(list)
        for index, (request, _) in enumerate(self._recorded):
            self._by_key[request.key].append(index)
        self._played: dict[tuple[int, ...], int] = defaultdict(int)

    def play(self, request: Request) -> Interaction | None:
        """The next recording of this request; None where there is none."""
        candidates = tuple(
            index
            for index in self._by_key.get(request.key, ())
            if _agree(request, self._recorded[index][0])
        )
        if not candidates:
            return None
        turn = self._played[candidates]
        self._played[candidates] = turn + 1
        return self._recorded[candidates[turn % len(candidates)]][1]

    def miss(self, request: Request) -> str:
        """Why nothing was played: the nearest recording, and what differs from it.

        Names and paths of fields, short numbers and model names; never content.
        """
        asked = f"No recording answers {_named(request)}."
        if not self._recorded:
            return f"{asked} The tape is empty."
        differing = [(_differences(request, r), one) for r, one in self._recorded]
        what, nearest = min(differing, key=lambda pair: _distance(pair[0]))
        shown = "; ".join(what[:_MAX_SHOWN])
        more = f"; and {len(what) - _MAX_SHOWN} more" if len(what) > _MAX_SHOWN else ""
        return (
            f"{asked} The nearest is {nearest.file} #{nearest.number}; "
            f"what differs: {shown}{more}. Record this request, or send the recorded one."
        )


def _of(one: Interaction) -> Request:
    return comparable(
        one.method, one.uri, one.request_headers, one.request_body, one.provider
    )


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        document = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
    return document if isinstance(document, dict) else None


def _agree(request: Request, recorded: Request) -> bool:
    """Model and provider are the same, or one side leaves them open."""
    return (
        None in (request.model, recorded.model) or request.model == recorded.model
    ) and (
        None in (request.provider, recorded.provider)
        or request.provider == recorded.provider
    )


def _named(request: Request) -> str:
    who = f" of {request.provider}" if request.provider else ""
    model = f" with model {_short(request.model)}" if request.model else ""
    return f"{request.method} {_short(request.operation)}{who}{model}"


def _distance(differences: list[str]) -> tuple[int, int]:
    """Another operation or provider is further away than any body."""
    far = ("method", "operation", "provider")
    return sum(what.startswith(far) for what in differences), len(differences)


def _differences(request: Request, recorded: Request) -> list[str]:
    found = []
    for name in ("method", "operation", "provider", "model"):
        mine, theirs = getattr(request, name), getattr(recorded, name)
        required = name in ("method", "operation")
        if mine != theirs and (required or None not in (mine, theirs)):
            found.append(f"{name} ({_short(mine)} here, {_short(theirs)} recorded)")
    if request.query != recorded.query:
        names = sorted({n for n, _ in set(request.query) ^ set(recorded.query)})
        found.append("query: " + ", ".join(map(_short, names)))
    if request.canonical == recorded.canonical:
        return found
    if request.body is None or recorded.body is None:
        here, there = len(request.canonical), len(recorded.canonical)
        return [*found, f"body ({here} bytes here, {there} recorded)"]
    return [*found, *_unequal(request.body, recorded.body, "body")]


def _unequal(mine: Any, theirs: Any, path: str) -> Iterator[str]:
    """Where two JSON values differ, by path; values only where they are no text."""
    if isinstance(mine, dict) and isinstance(theirs, dict):
        for name in sorted(mine.keys() | theirs.keys()):
            inner = f"{path}.{_short(name)}"
            if name not in theirs:
                yield f"{inner} (not recorded)"
            elif name not in mine:
                yield f"{inner} (only recorded)"
            else:
                yield from _unequal(mine[name], theirs[name], inner)
    elif isinstance(mine, list) and isinstance(theirs, list):
        if len(mine) != len(theirs):
            yield f"{path} ({len(mine)} entries here, {len(theirs)} recorded)"
        for index, (one, other) in enumerate(zip(mine, theirs, strict=False)):
            yield from _unequal(one, other, f"{path}[{index}]")
    elif mine != theirs or type(mine) is not type(theirs):
        yield f"{path} ({_shown(mine)} here, {_shown(theirs)} recorded)"


def _shown(value: Any) -> str:
    """Numbers and flags as they are; of anything else, what kind of thing it is."""
    if value is None or isinstance(value, bool | int | float):
        return msgspec.json.encode(value).decode()[:24]
    if isinstance(value, str):
        return f"a text of {len(value)}"
    return "a list" if isinstance(value, list) else "an object"


def _short(name: str | None) -> str:
    if name is None:
        return "none"
    return name if len(name) <= _MAX_MODEL_CHARS else f"{name[:_MAX_MODEL_CHARS]}…"

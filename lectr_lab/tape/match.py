"""Which recording answers a request, and if none does, which came nearest.

Two requests are the same when method, operation, query, model, body and provider are;
see `compare`. Where none is, those do that differ in ids which a client draws (see
`client_ids`), or in what was taken out of them. A recording of a host that is no known provider's may play as any.
`Matching` makes it looser: fields that do not count, or nothing but the order.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from lectr_lab.core.headers import RawHeaders
from lectr_lab.tape.alike import has_marks, same_but_for_marks
from lectr_lab.tape.cassette import Interaction
from lectr_lab.tape.client_ids import without_client_ids
from lectr_lab.tape.compare import Request, comparable

_MAX_SHOWN = 6
_MAX_MODEL_CHARS = 80


class Matching(NamedTuple):
    """How alike a request and its recording must be.

    `ignore` names fields of the body that do not count: `temperature`, `metadata.user`.
    With `in_order` the n-th request gets the n-th recording, whatever its body says:
    method and operation alone must be the same.
    """

    ignore: tuple[str, ...] = ()
    in_order: bool = False


EXACT = Matching()


class Tape:
    """Recordings, and how often each was played: the n-th same request gets the n-th.

    After the last it starts again from the first; in order, there is no more.
    """

    def __init__(
        self, interactions: Iterable[Interaction], matching: Matching = EXACT
    ) -> None:
        self._matching = matching
        self._recorded = [(self._of(one), one) for one in interactions]
        self._in_order = 0  # how many were played so
        self._by_key: dict[object, list[int]] = defaultdict(list)
        for index, (request, _) in enumerate(self._recorded):
            self._by_key[request.key].append(index)
        self._by_rest: dict[object, list[int]] | None = None  # when first asked for
        self._marked = [i for i, (r, _) in enumerate(self._recorded) if has_marks(r)]
        self._played: dict[tuple[int, ...], int] = defaultdict(int)

    def request(
        self,
        method: str,
        url: str,
        headers: RawHeaders,
        body: bytes,
        provider: str | None,
    ) -> Request:
        """A request as this tape compares it; see `comparable`."""
        ignore = self._matching.ignore
        return comparable(method, url, headers, body, provider, ignore)

    def play(self, request: Request) -> Interaction | None:
        """The next recording of this request; None where there is none."""
        if self._matching.in_order:
            return self._next(request)
        same = (
            self._by_key.get(request.key)
            or self._same_but_for_ids(request)
            or self._same_but_for_marks(request)
        )
        candidates = tuple(i for i in same if _agree(request, self._recorded[i][0]))
        if not candidates:
            return None
        turn = self._played[candidates]
        self._played[candidates] = turn + 1
        return self._recorded[candidates[turn % len(candidates)]][1]

    def miss(self, request: Request) -> str:
        """Why nothing was played: the nearest recording, and what differs from it.

        Names and paths of fields, short numbers and model names; never content.
        """
        text = f"No recording answers {_named(request)}."
        if not self._recorded:
            return f"{text} The tape is empty."
        if self._matching.in_order:
            return f"{text} {self._why_not_next(request)}"
        differing = [(_differences(request, r), one) for r, one in self._recorded]
        what, nearest = min(differing, key=lambda pair: _distance(pair[0]))
        shown = "; ".join(what[:_MAX_SHOWN])
        more = f"; and {len(what) - _MAX_SHOWN} more" if len(what) > _MAX_SHOWN else ""
        return (
            f"{text} The nearest is {nearest.file} #{nearest.number}; "
            f"what differs: {shown}{more}. Record this request, or send the recorded one."
        )

    def _of(self, one: Interaction) -> Request:
        sent = one.request_headers, one.request_body
        return self.request(one.method, one.uri, *sent, one.provider)

    def _same_but_for_ids(self, request: Request) -> list[int]:
        if self._by_rest is None:
            self._by_rest = defaultdict(list)
            for index, (recorded, _) in enumerate(self._recorded):
                self._by_rest[without_client_ids(recorded)].append(index)
        rest = without_client_ids(request)
        return self._by_rest.get(rest, []) if rest else []

    def _same_but_for_marks(self, request: Request) -> list[int]:
        recorded = self._recorded
        return [i for i in self._marked if same_but_for_marks(request, recorded[i][0])]

    def _next(self, request: Request) -> Interaction | None:
        if self._in_order >= len(self._recorded):
            return None
        recorded, one = self._recorded[self._in_order]
        if request[:2] != recorded[:2]:
            return None
        self._in_order += 1
        return one

    def _why_not_next(self, request: Request) -> str:
        if self._in_order >= len(self._recorded):
            return f"All {len(self._recorded)} recordings have been played, in order."
        recorded, one = self._recorded[self._in_order]
        here, there = (f"{r.method} {_short(r.operation)}" for r in (request, recorded))
        return f"The next is {one.file} #{one.number}: {there}, not {here}."


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
    try:
        return [*found, *_unequal(request.body, recorded.body, "body")]
    except RecursionError:
        return [*found, "body (nested too deep to say where)"]


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

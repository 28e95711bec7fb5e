"""Whether a request is one that was recorded, but for what was taken out of the recording.

A secret that a user's pattern names, or that the provider's answer gave away, is in the
request that comes again, and `[redacted]` in the recording of it: it stands for any text.
"""

from typing import Any

from lectr_lab.tape.compare import Request
from lectr_lab.tape.replacing import MARK

_MARK = MARK.decode()


def has_marks(request: Request) -> bool:
    """Something was taken out of it."""
    query = "".join(name + value for name, value in request.query)
    return MARK in request.canonical or _MARK in f"{request.operation}{query}"


def same_but_for_marks(mine: Request, theirs: Request) -> bool:
    """A request is the recorded one, where that has no mark in a text's place.

    >>> mine = Request("GET", "models/hush-1", (), None, b"", None, None)
    >>> same_but_for_marks(mine, mine._replace(operation="models/[redacted]"))
    True
    """
    if mine.method != theirs.method or not _like(mine.operation, theirs.operation):
        return False
    if not _alike(list(map(list, mine.query)), list(map(list, theirs.query))):
        return False
    if mine.body is None or theirs.body is None:
        texts = (r.canonical.decode("latin-1") for r in (mine, theirs))
        return mine.body is theirs.body and _like(*texts)
    try:
        return _alike(mine.body, theirs.body)
    except RecursionError:
        return False


def _alike(mine: Any, theirs: Any) -> bool:
    if isinstance(theirs, str):
        return isinstance(mine, str) and _like(mine, theirs)
    if isinstance(theirs, list) and isinstance(mine, list):
        return len(mine) == len(theirs) and all(map(_alike, mine, theirs))
    if isinstance(theirs, dict) and isinstance(mine, dict):
        return mine.keys() == theirs.keys() and all(
            _alike(mine[name], value) for name, value in theirs.items()
        )
    return type(mine) is type(theirs) and bool(mine == theirs)


def _like(mine: str, theirs: str) -> bool:
    """The same, where a mark stands for any text. Linear in the length."""
    first, *others = theirs.split(_MARK)
    if not others:
        return mine == theirs
    last = others.pop()
    if not mine.startswith(first):
        return False
    at = len(first)
    for part in others:
        at = mine.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return len(mine) - at >= len(last) and mine.endswith(last)

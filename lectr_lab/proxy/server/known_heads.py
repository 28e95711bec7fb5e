"""Heads that came before, known by their bytes: what a parser says of one follows from
them alone.

A program sends the same head again and again, but for the length of its body. Where a
head is here whole, and known, no parser is asked: a tenth of our work.
Kept are heads of plain requests with a length, and only once their caller's key was
found: a stranger's would fill the memory.
"""

from typing import Any, NamedTuple

from lectr_lab.core.headers import RawHeaders

_MOST_HEADS = 256
_MOST_BYTES = 8 * 1024  # of a head
_END = b"\r\n\r\n"
MOST_DIGITS = 12
_NAMES = (b"\r\nContent-Length: ", b"\r\ncontent-length: ")  # as nearly all write it
_NAME_BYTES = len(_NAMES[0])
# What changes how a request, or the connection behind it, is read.
_FRAMING = frozenset({b"transfer-encoding", b"upgrade", b"expect", b"trailer"})


class KnownHead:
    """What a parser said of a head, but for the length."""

    __slots__ = ("_after", "_before", "parts", "url")

    def __init__(self, url: bytes, scope: dict[str, Any]) -> None:
        headers: RawHeaders = scope["headers"]
        at = [name for name, _ in headers].index(b"content-length")
        self.url = url
        self.parts = {
            name: scope[name] for name in ("method", "path", "raw_path", "query_string")
        }
        self._before, self._after = tuple(headers[:at]), tuple(headers[at + 1 :])

    def headers(self, length: bytes) -> list[tuple[bytes, bytes]]:
        """Of a request whose body is that long."""
        return [*self._before, (b"content-length", length), *self._after]


class Again(NamedTuple):
    """A request whose head is known, in what a client sent; its body may come later."""

    head: KnownHead
    length: bytes
    body_at: int
    end: int


class KnownHeads:
    """Those of one process."""

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, bytes], KnownHead] = {}

    def add(self, head: bytes, url: bytes, scope: Any) -> None:
        """Know this head again, if it is plain: the parser took it, and it was all that
        the parser was given of its request."""
        found = _parted(head, 0, len(head))
        headers: RawHeaders = scope["headers"]
        fields = dict(headers)
        if found is None or len(head) > _MOST_BYTES or len(fields) < len(headers):
            return
        before, length, after, _ = found
        if (before, after) in self._known:
            return
        asks_more = not _FRAMING.isdisjoint(fields) or url.endswith(b"?")
        keeps = fields.get(b"connection", b"keep-alive").lower() == b"keep-alive"
        if asks_more or not keeps or scope["http_version"] != "1.1":
            return
        if fields.get(b"content-length") != length:
            return
        if len(self._known) >= _MOST_HEADS:
            self._known.clear()
        self._known[before, after] = KnownHead(url, scope)

    def find(self, data: bytes | bytearray, at: int, size_bytes: int) -> Again | None:
        """The request that begins there, if its head is all there, and known."""
        if not self._known:
            return None
        found = _parted(data, at, size_bytes)
        if found is None:
            return None
        before, length, after, body_at = found
        head, end = self._known.get((before, after)), body_at + int(length)
        if head is None:
            return None
        return Again(head, length, body_at, end)


def _parted(
    data: bytes | bytearray, at: int, size_bytes: int
) -> tuple[bytes, bytes, bytes, int] | None:
    """What stands before the digits of a head's length, they, what follows, its end."""
    end = data.find(_END, at, size_bytes)
    if end < 0:
        return None
    line = data.find(_NAMES[0], at, end)
    if line < 0:
        line = data.find(_NAMES[1], at, end)
        if line < 0:
            return None
    digits = line + _NAME_BYTES
    after = data.find(b"\r", digits, end + 1)
    length = bytes(data[digits:after])
    if not length.isdigit() or len(length) > MOST_DIGITS:
        return None
    body_at = end + len(_END)
    return bytes(data[at:digits]), length, bytes(data[after:body_at]), body_at

"""Server-sent events out of bytes that may be cut anywhere.

The form is https://html.spec.whatwg.org/multipage/server-sent-events.html: lines end in
LF, CRLF or CR, a blank line ends an event. Beyond it we read a line that begins with
spaces (seen once), and an event that the stream's end left without its blank line.
"""

from typing import TypeAlias

MAX_EVENT_BYTES = 8 * 1024 * 1024
"""Longer ones are dropped. The last event of a `/v1/responses` stream repeats the whole
answer, images included, and holds the usage: so not less than a whole body may have."""

_LEAD = b" \t\xef\xbb\xbf"  # a byte order mark may open a stream


ServerEvent: TypeAlias = tuple[bytes, bytes]
"""One event: its name, empty where it has none, and its data lines. (A plain tuple: one
is made per chunk of every stream.)"""


class EventSplitter:
    """Remembers the event that is not over yet; its memory is bounded.

    `dropped` turns true where an event was longer than that.

    >>> splitter = EventSplitter()
    >>> splitter.feed(b"event: ping\\nda"), splitter.feed(b"ta: 1\\n\\n")
    ([], [(b'ping', b'1')])
    """

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_event_bytes = max_event_bytes
        self._line = bytearray()  # begun, not ended
        self._name = b""
        self._data: list[bytes] = []
        self._event_bytes = 0  # of the lines that ended
        self.dropped = False
        self._skip_lf = False  # a CR ended the last chunk: its LF may follow

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """The events that this chunk completes."""
        if self._skip_lf and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._skip_lf = False
        if not chunk:
            return []
        lines = chunk.splitlines()
        if (
            chunk.endswith(b"\n\n")
            and len(chunk) <= self._max_event_bytes
            and not self._event_bytes
            and not self._line
        ):
            event = _usual_event(lines)
            if event is not None:
                return [event]
        self._skip_lf = chunk.endswith(b"\r")
        rest = b"" if chunk.endswith((b"\n", b"\r")) else lines.pop()
        return self._take_lines(lines, rest)

    def flush(self) -> list[ServerEvent]:
        """The event that the end of the stream left open, if there is one."""
        return self.feed(b"\n\n")

    def _take_lines(self, lines: list[bytes], rest: bytes) -> list[ServerEvent]:
        """Read lines that ended, and keep the one that has not."""
        if lines and self._line:
            lines[0] = bytes(self._line + lines[0])
            self._line.clear()
        events = [event for line in lines if (event := self._take(line))]
        self._line += rest
        if self._event_bytes + len(self._line) > self._max_event_bytes:
            self._drop()
            if self._line:
                self._line[:] = b":"  # what is left of it is a comment
        return events

    def _take(self, line: bytes) -> ServerEvent | None:
        """Read one line; the blank one yields the event."""
        if not line:
            name, data = self._name, self._data
            self._name, self._data, self._event_bytes = b"", [], 0
            return (name, b"\n".join(data)) if data else None
        self._event_bytes += len(line)
        if self._event_bytes > self._max_event_bytes:
            self._drop()
            return None
        if line.startswith(b"data: "):  # the usual one, for speed
            self._data.append(line[6:])
            return None
        field, _, value = line.lstrip(_LEAD).partition(b":")
        if field == b"data":
            self._data.append(value.removeprefix(b" "))
        elif field == b"event":
            self._name = value.strip()
        return None

    def _drop(self) -> None:
        """Forget the event, and read on at the next one."""
        self._name, self._data, self.dropped = b"", [], True
        self._event_bytes = self._max_event_bytes + 1  # whatever follows is over, too


def _usual_event(lines: list[bytes]) -> ServerEvent | None:
    """What providers mostly send in a chunk, one event and no more, read fast."""
    if len(lines) == 2 and lines[0].startswith(b"data: "):
        return b"", lines[0][6:]
    named = len(lines) == 3 and lines[0].startswith(b"event: ")
    if named and lines[1].startswith(b"data: "):
        return lines[0][7:].strip(), lines[1][6:]
    return None

"""Where the parser has to stop, as it cannot be stopped where a message ends."""

_EMPTY_LINE = b"\r\n\r\n"


class Cuts:
    """Finds in what a client sends the places where a message may end.

    It ends behind an empty line (a head alone, or the last chunk and its trailers), or
    where the declared length of its body does; not each such place is an end.
    """

    __slots__ = ("_tail", "body_left")

    def __init__(self) -> None:
        self.body_left = 0  # of a body whose length is known
        self._tail = b""  # what may be the beginning of an empty line

    def end(self, data: bytes | bytearray, at: int, size_bytes: int) -> int:
        """The first such place behind `at`, or the end of what is there.

        >>> Cuts().end(b"GET / HTTP/1.1\\r\\n\\r\\nGET /", 0, 23)
        18
        """
        if self.body_left:
            end = min(size_bytes, at + self.body_left)
            self.body_left -= end - at
            return end
        tail, self._tail = self._tail, b""
        if tail:
            found = (tail + data[at : min(at + 3, size_bytes)]).find(_EMPTY_LINE)
            if found >= 0:
                return at + found + len(_EMPTY_LINE) - len(tail)
        found = data.find(_EMPTY_LINE, at, size_bytes)
        if found >= 0:
            return found + len(_EMPTY_LINE)
        self._tail = (tail + data[max(at, size_bytes - 3) : size_bytes])[-3:]
        return size_bytes

"""A reply's body, kept while an observer wants it."""

MOST_KEPT_BYTES = 1024 * 1024  # of a reply, and of a request


class Kept:
    """A reply's body, while it is wanted and not too large."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.too_large = False
        self._bytes = 0

    def take(self, chunk: bytes) -> None:
        """The next bytes."""
        self._bytes += len(chunk)
        self.too_large = self.too_large or self._bytes > MOST_KEPT_BYTES
        if self.too_large:
            self.chunks.clear()
        else:
            self.chunks.append(chunk)

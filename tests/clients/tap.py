"""What a client sends, byte for byte, on its way to the proxy."""

import contextlib
import socket
import threading
from typing import Self

import httptools

from clients.fake_provider import Seen


class Tap:
    """Passes bytes between clients and one loopback URL, and reads the requests in them."""

    def __init__(self, url: str) -> None:
        self.sent: list[Seen] = []
        self._port = int(url.rpartition(":")[2])
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]
        self._sockets = [self._listener]

    @property
    def url(self) -> str:
        """Where clients ask."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._sockets:
            with contextlib.suppress(OSError):  # closed by now
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # until the end
            while True:
                client, _ = self._listener.accept()
                thread = threading.Thread(target=self._pass_on, args=(client,))
                self._threads.append(thread)
                self._sockets.append(client)
                thread.start()

    def _pass_on(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._port)) as proxy:
            back = threading.Thread(target=_pump, args=(proxy, client))
            back.start()
            _pump(client, proxy, _Requests(self.sent))
            back.join()


class _Requests:
    """Reads the requests of one connection, as httptools calls it."""

    def __init__(self, sent: list[Seen]) -> None:
        self._sent = sent
        self._parser = httptools.HttpRequestParser(self)

    def feed(self, data: bytes) -> None:
        # What follows an offer to speak something else is no request; ours are declined.
        with contextlib.suppress(httptools.HttpParserUpgrade):
            self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._path, self._headers, self._body = b"", [], b""

    def on_url(self, url: bytes) -> None:
        self._path += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        method, path = self._parser.get_method().decode(), self._path.decode("latin-1")
        self._sent.append(Seen("", method, path, self._headers, self._body))


def _pump(
    source: socket.socket, sink: socket.socket, reader: _Requests | None = None
) -> None:
    """Until the source ends; then the sink is told so."""
    with contextlib.suppress(OSError):  # a side that went away
        while data := source.recv(65536):
            if reader:
                reader.feed(data)
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)

"""The sockets of a port's places.

Where the system shares connections out over sockets of one port (Linux), each place has
one; elsewhere all have the same, and whoever is first takes a connection. The parent
holds them open: what waits at one whose worker is gone is not lost.
"""

import contextlib
import socket
import sys
from collections.abc import Iterator

from lectr_lab.proxy.server.run import open_socket


@contextlib.contextmanager
def places(host: str, port: int, workers: int) -> Iterator[list[socket.socket]]:
    """A listening socket for each worker; port 0 is any free one, the same for all.

    Raises:
        ProxyError: the port is taken or not allowed, with what to do.

    >>> with places("127.0.0.1", 0, 2) as sockets:
    ...     len({sock.getsockname() for sock in sockets})
    1
    """
    with contextlib.ExitStack() as stack:
        # Alone first: of a port that is shared, another proxy would get a share.
        first = stack.enter_context(open_socket(host, port))
        if not sys.platform.startswith("linux"):
            yield [first] * workers
            return
        port = first.getsockname()[1]
        first.close()
        yield [
            stack.enter_context(open_socket(host, port, shared=True))
            for _ in range(workers)
        ]

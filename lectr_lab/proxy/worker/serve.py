"""The process: `python -m lectr_lab.proxy.worker.serve`, with a socket as stdin."""

import contextlib
import gc
import resource
import socket
import sys

from lectr_lab.proxy.worker.jobs import answer_job, send

_MOST_BYTES = 1024 * 1024 * 1024
"""Of its memory. 31 MB of the smallest parts would take 0.6 GB, counted in the proxy."""


def main() -> None:
    """Say that it is there, and answer jobs until the proxy is gone."""
    _bound_memory()
    gc.disable()  # what is decoded are trees: looking for circles in them takes a third
    with socket.socket(fileno=sys.stdin.fileno()) as sock:
        send(sock, b"")
        while answer_job(sock):
            pass


def _bound_memory() -> None:
    with contextlib.suppress(ValueError, OSError):  # not every system has it
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, hard))


if __name__ == "__main__":
    main()

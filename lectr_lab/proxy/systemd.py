"""Words for systemd, where it started the program (`Type=notify`): sd_notify(3)."""

import contextlib
import os
import socket
import time


def notify(state: str) -> None:
    """Send a state, such as `READY=1`; nothing where nobody asked for it.

    Never fails and never waits: NOTIFY_SOCKET is a path, or an abstract name after `@`.

    >>> notify("READY=1")
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock,
    ):
        sock.setblocking(False)
        sock.sendto(state.encode(), address)


def reloading() -> str:
    """That settings are being read again, and since when."""
    return f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}"

"""Which socket listens on a port: a freed port is any other process's to take, and on a
machine that runs tests side by side one of them does, so that "refused" proves too much."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

LISTENS = "0A"  # TCP_LISTEN, as the kernel writes it


def listener(url: str) -> int:
    """The inode of the socket that listens on this address' port now; 0 where none does.

    Linux only (`proc(5)`, `/proc/net/tcp`): elsewhere the test that asks is skipped.
    """
    if not Path("/proc/net/tcp").exists():
        pytest.skip("looks at /proc")
    port = urlsplit(url).port
    for kind in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]:
            _, local, _, state, *more = line.split()
            if state == LISTENS and int(local.rsplit(":", 1)[1], 16) == port:
                return int(more[5])
    return 0

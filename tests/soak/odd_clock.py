"""`lectr-lab serve` whose time of day jumps: `python odd_clock.py <lectr.toml>`.

The clock is an argument of the application, so nothing of it is replaced. Each request
is at another of some odd times: yesterday, years ago, before 1970, far ahead.
"""

import sys
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from lectr_lab.config.settings import read_settings
from lectr_lab.launch import build
from lectr_lab.proxy.clock import SystemClock
from lectr_lab.proxy.server.run import open_socket, run

JUMPS_DAYS = (0, -1, -2, -400, 400, -60 * 365, 73 * 365)


class OddClock(SystemClock):
    """The machine's, but for the day."""

    def __init__(self) -> None:
        self._asked = count()

    def utc_now(self) -> datetime:  # type: ignore[override]
        """A day ahead of or behind today, another each time."""
        days = JUMPS_DAYS[next(self._asked) // 5 % len(JUMPS_DAYS)]
        return datetime.now(UTC) + timedelta(days=days)


if __name__ == "__main__":
    settings = read_settings(Path(sys.argv[1]), {})
    with open_socket(settings.host, settings.port) as sock:
        base_url = settings.base_url(sock.getsockname()[1])
        app = build(settings, clock=OddClock())
        run(app, sock, lambda: print(f"listens on {base_url}", flush=True))

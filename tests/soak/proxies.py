"""Real `lectr-lab serve` processes: how they live, and how they die."""

import asyncio
import contextlib
import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from soak.ledger import Life
from soak.replies import MAX_BODY_BYTES
from soak.wire import BROKEN, Wire

_STARTS_WITHIN_S = 120.0
_ENDS_WITHIN_S = 120.0
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LISTENS = re.compile(r"listens on http://127\.0\.0\.1:(\d+)")
_SERVE = ("-m", "lectr_lab.cli", "serve", "--config")
_ODD_CLOCK = (str(Path(__file__).with_name("odd_clock.py")),)
_PAGES_PER_MIB = 1024 * 1024 // os.sysconf("SC_PAGE_SIZE")
_CONFIG = """\
lab = "{lab}"
port = 0
max_body_bytes = {max_body_bytes}
queue_events = {queue_events}
connect_timeout_s = 120.0
[providers.openai]
base_url = "http://127.0.0.1:{provider}/v1"
[providers.groq]
base_url = "http://127.0.0.1:{nobody}/v1"
"""


class ProxyFault(Exception):
    """A proxy did not start, or did not end, in time."""


class Proxies:
    """All proxies of a soak, those that live and those that did."""

    def __init__(self, folder: Path) -> None:
        self.lives: list[Life] = []
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def configure(
        self, lab: str, provider: int, nobody: int, *, queue_events: int = 100_000
    ) -> None:
        """Write the lectr.toml of a lab; `nobody` is a port where nobody listens."""
        text = _CONFIG.format(
            lab=lab,
            max_body_bytes=MAX_BODY_BYTES,
            queue_events=queue_events,
            provider=provider,
            nobody=nobody,
        )
        self._config(lab).write_text(text)

    async def start(self, name: str, lab: str, *, odd_clock: bool = False) -> Life:
        """A new life of a proxy, from when it listens.

        Raises:
            ProxyFault: it does not listen in time, or has ended.
        """
        out = self._folder / f"{name}-{len(self.lives)}.out"
        program = _ODD_CLOCK if odd_clock else _SERVE
        with out.open("wb") as file:
            process = subprocess.Popen(  # noqa: ASYNC220 - it takes no time
                [sys.executable, *program, str(self._config(lab))],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is ours
                preexec_fn=_die_with_the_soak,  # noqa: PLW1509 - we have no threads
            )
        self._running[name] = process
        deadline_s = time.monotonic() + _STARTS_WITHIN_S
        while not (found := _LISTENS.search(out.read_text("utf-8", "replace"))):
            if process.poll() is not None or time.monotonic() > deadline_s:
                raise ProxyFault(f"{name} did not listen: {out.read_text()[-500:]}")
            await asyncio.sleep(0.05)
        life = Life(name, lab, process.pid, int(found[1]), time.monotonic())
        self.lives.append(life)
        return life

    def alive(self, lab: str | None = None) -> list[Life]:
        """Those that can be asked."""
        return [x for x in self.lives if not x.ended and lab in (None, x.lab)]

    async def kill(self, life: Life) -> None:
        """kill -9, wherever it is."""
        life.killed_s, life.ended = time.monotonic(), True
        await self._over(life, signal.SIGKILL)

    async def stop(self, life: Life) -> None:
        """SIGTERM: it writes and seals what it has. Raises ProxyFault: it does not end."""
        life.ended = True
        await self._over(life, signal.SIGTERM)

    async def _over(self, life: Life, how: signal.Signals) -> None:
        process = self._running.pop(life.name)
        process.send_signal(how)
        deadline_s = time.monotonic() + _ENDS_WITHIN_S
        while process.poll() is None:
            if time.monotonic() > deadline_s:
                process.kill()
                process.wait()
                raise ProxyFault(f"{life.name} did not end within {_ENDS_WITHIN_S:g} s")
            await asyncio.sleep(0.02)
        if how is signal.SIGTERM and process.returncode not in (0, -signal.SIGTERM):
            raise ProxyFault(f"{life.name} ended with {process.returncode}")

    def kill_what_is_left(self) -> None:
        """For whoever is stopped in the middle."""
        for process in self._running.values():
            process.kill()
            process.wait()

    def _config(self, lab: str) -> Path:
        return self._folder / f"{lab}.toml"


def _die_with_the_soak() -> None:
    """However it ends: `serve` itself would go on."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


async def look(lives: Iterable[Life]) -> None:
    """Memory, open files and /health of each, as of now."""
    for life in lives:
        with contextlib.suppress(OSError, *BROKEN):
            pages = int(Path(f"/proc/{life.pid}/statm").read_text().split()[1])
            life.samples.append((pages / _PAGES_PER_MIB, open_files(life)))
            health = await _health(life)
            life.internal_errors = health.get("internal_errors", life.internal_errors)


def open_files(life: Life) -> int:
    """How many. Raises OSError: it has ended."""
    return len(os.listdir(f"/proc/{life.pid}/fd"))  # noqa: PTH208 - names are enough


async def _health(life: Life) -> dict[str, int]:
    wire = await Wire.open(life.port)
    try:
        host = f"Host: 127.0.0.1:{life.port}\r\n"
        await wire.send(f"GET /health HTTP/1.1\r\n{host}\r\n".encode())
        async with asyncio.timeout(60):
            answer = await wire.answer()
    finally:
        wire.close()
    said = json.loads(answer.body or b"{}")
    return said if isinstance(said, dict) else {}

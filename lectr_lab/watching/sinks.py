"""Who is told: a terminal, a file, a command, an address. Each takes one word at a time."""

import contextlib
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple, TextIO

from lectr_lab.config.settings import Settings
from lectr_lab.config.watch_settings import WatchSettings
from lectr_lab.core.printable import printable
from lectr_lab.files import PRIVATE, strange
from lectr_lab.watching.webhook import NotTold, Waits, webhook
from lectr_lab.watching.word import Word

_OWN = "LECTR_"


class Sink(NamedTuple):
    """Who is told, by a name that stays the same across restarts, and how."""

    name: str
    send: Callable[[Word], None]


def sinks(
    settings: Settings,
    environ: Mapping[str, str],
    wait: Waits,
    out: TextIO | None = None,
) -> list[Sink]:
    """The sinks that `[watch]` names.

    Args:
        settings: as read.
        environ: where the address and the secret of a webhook are.
        wait: waits so many seconds, and says whether it is to stop.
        out: the terminal; None: standard output.

    Raises:
        LabError: a variable is not set, or holds no address.
    """
    asked = settings.watch or WatchSettings()
    found = []
    if asked.terminal:
        found.append(Sink("terminal", lambda word: terminal(word, out or sys.stdout)))
    if asked.file is not None:
        path = Path(asked.file)
        found.append(Sink(f"file:{path}", lambda word: append(word, path)))
    if asked.command:
        name = blake2b(repr(asked.command).encode(), digest_size=8).hexdigest()
        clean = without_secrets(environ, asked)
        found.append(
            Sink(
                f"command:{name}",
                lambda word: run(word, asked.command, asked.command_timeout_s, clean),
            )
        )
    if asked.webhook is not None:
        send = webhook(
            asked.webhook, environ, wait, settings.http_proxy, settings.ca_bundle
        )
        found.append(Sink(f"webhook:{asked.webhook.url_env}", send))
    return found


def terminal(word: Word, out: TextIO) -> None:
    """A line or two; no name steers the terminal."""
    now = datetime.now(UTC)
    shown = word.facts.get("id")
    ends = f" [{shown}]" if shown else ""
    print(printable(f"{now:%Y-%m-%d %H:%M} UTC  {word.sentence}{ends}"), file=out)
    for text in word.facts.get("changed", ()) if word.what == "began" else ():
        print(printable(f"    {text}"), file=out)
    out.flush()


def append(word: Word, path: Path) -> None:
    """A line of JSON at the end of a file, written at once: two writers mix no lines.

    Raises:
        NotTold: it is no file, or cannot be written.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        fd = os.open(path, flags, PRIVATE)
    except OSError as error:
        raise NotTold(f"{path} cannot be written: {error.strerror}") from None
    try:
        if (what := strange(os.fstat(fd).st_mode)) and not stat.S_ISCHR(
            os.fstat(fd).st_mode
        ):
            raise NotTold(f"{path} cannot be written: {what}")
        os.write(fd, word.as_json() + b"\n")
    except OSError as error:
        raise NotTold(f"{path} cannot be written: {error.strerror}") from None
    finally:
        os.close(fd)


def without_secrets(environ: Mapping[str, str], asked: WatchSettings) -> dict[str, str]:
    """The environment of a command: all but what is ours, and a webhook's.

    >>> without_secrets({"LECTR_KEY": "x", "HOME": "/"}, WatchSettings())
    {'HOME': '/'}
    """
    hook = asked.webhook
    hidden = {hook.url_env, hook.secret_env} if hook else set()
    return {
        name: value
        for name, value in environ.items()
        if not name.startswith(_OWN) and name not in hidden
    }


def run(
    word: Word, command: Sequence[str], timeout_s: float, environ: Mapping[str, str]
) -> None:
    """A program with the word as JSON on its standard input; it and all that it started
    are killed where it takes longer.

    Raises:
        NotTold: it cannot be run, takes too long, or fails.
    """
    try:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=dict(environ),
        )
    except (OSError, ValueError) as error:
        raise NotTold(f"{command[0]} cannot be run: {_reason(error)}") from None
    try:
        process.communicate(word.as_json() + b"\n", timeout=timeout_s)
    except subprocess.TimeoutExpired:
        raise NotTold(f"{command[0]} took more than {timeout_s:g} s") from None
    finally:
        if process.poll() is None:  # Ctrl-C, too
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.returncode:
        raise NotTold(f"{command[0]} ended with exit code {process.returncode}")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)

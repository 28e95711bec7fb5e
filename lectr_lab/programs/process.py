"""A program as if nobody stood between it and its terminal.

It has our standard streams and open files and our process group, so that a terminal's
signals reach it without us; those that are sent to us alone we pass on. When it stops,
so do we, and the shell has its prompt.
"""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

EXIT_NOT_EXECUTABLE = 126
EXIT_NOT_FOUND = 127
_EXIT_SIGNAL = 128
# Of these a terminal sends one to its whole foreground group, the program included.
_OF_A_TERMINAL = (
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTSTP,
    signal.SIGTTIN,
    signal.SIGTTOU,
)
_PASSED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


def run(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a program to its end.

    Args:
        command: its path or name, and its arguments.
        environ: all of its variables.

    Returns:
        Its exit code; 128 and the signal that ended it.

    Raises:
        OSError: it cannot be started.

    >>> run(["sh", "-c", "exit 7"], os.environ)
    7
    """
    waiting: list[int] = []  # signals that came before there was anybody to take them
    pids: list[int] = []

    def pass_on(number: int, _: FrameType | None) -> None:
        if number in _OF_A_TERMINAL and _terminal_is_ours():
            return
        if not pids:
            waiting.append(number)
            return
        with suppress(ProcessLookupError):
            os.kill(pids[0], number)

    with _handled(pass_on):
        process = subprocess.Popen(command, env=environ, close_fds=False)
        pids.append(process.pid)
        for number in waiting:
            process.send_signal(number)
        process.returncode = _end_of(process.pid)
    return process.returncode


@contextmanager
def _handled(handler: "signal._HANDLER") -> Iterator[None]:
    """What is ignored, as by nohup, stays so: the program inherits it."""
    signals = (*_OF_A_TERMINAL, *_PASSED_ON)
    heard = [one for one in signals if signal.getsignal(one) != signal.SIG_IGN]
    before = {one: signal.signal(one, handler) for one in heard}
    try:
        yield
    finally:
        for one, usual in before.items():
            signal.signal(one, usual)


def _end_of(pid: int) -> int:
    """Wait for it; stop when it stops, and go on with it."""
    while True:
        _, status = os.waitpid(pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else _EXIT_SIGNAL - code
        os.kill(os.getpid(), signal.SIGSTOP)
        os.kill(pid, signal.SIGCONT)


def _terminal_is_ours() -> bool:
    """We are in a terminal's foreground: its signals come to all of our group."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)

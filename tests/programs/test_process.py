"""Programs as if nobody stood between them and their terminal."""

import os
import pty
import select
import signal
import subprocess
import sys
import time

import pytest

from lectr_lab.programs.process import run

WITHIN_S = 60
# Runs a program under `run`, as `lectr-lab run` does, in a process of its own.
OUTER = """\
import os, sys
from lectr_lab.programs.process import run
sys.exit(run(sys.argv[1:], os.environ))
"""
# The same on a terminal of its own, in whose foreground it is.
ON_TERMINAL = (
    "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n" + OUTER
)


def outer(*command: str, **options) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", OUTER, *command], **options)


def stopped(pid: int) -> bool:
    """Wait until a child of ours stops or ends."""
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        found, status = os.waitpid(pid, os.WUNTRACED | os.WNOHANG)
        if found:
            return os.WIFSTOPPED(status)
        time.sleep(0.01)
    return False


@pytest.mark.parametrize(
    ("script", "code"),
    [("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", 137), ("kill -TERM $$", 143)],
)
def test_a_program_ends_as_it_ends(script, code):
    """A signal as shells count it."""
    assert run(["sh", "-c", script], os.environ) == code


def test_what_cannot_be_started_is_told():
    """And signals are what they were."""
    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]

    with pytest.raises(FileNotFoundError):
        run(["/no/such/program"], os.environ)

    assert [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)] == before


def test_its_variables_streams_and_open_files_are_those_given(tmp_path):
    """A file that a shell opened for it, say."""
    shell = ["sh", "-c", 'exec 3>"$TOLD"; exec "$@"', "sh", sys.executable, "-c", OUTER]
    script = 'read line; echo "$NAME $line" >&3; echo out; echo err >&2'

    done = subprocess.run(
        [*shell, "sh", "-c", script],
        input=b"in\n",
        env=os.environ | {"TOLD": str(tmp_path / "told"), "NAME": "n"},
        capture_output=True,
        check=True,
        timeout=WITHIN_S,
    )

    assert (done.stdout, done.stderr) == (b"out\n", b"err\n")
    assert (tmp_path / "told").read_text() == "n in\n"


WAITS = """\
import signal, sys
signal.signal(signal.{name}, lambda *_: sys.exit(9))
print("ready", flush=True)
signal.pause()
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT", "SIGUSR1"])
def test_a_signal_for_us_alone_is_passed_on(name, usual_signals):
    """The program decides what it means."""
    program = [sys.executable, "-c", WAITS.format(name=name)]
    with outer(*program, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout.readline() == b"ready\n"

        process.send_signal(getattr(signal, name))

        assert process.wait(WITHIN_S) == 9


def test_what_is_ignored_stays_ignored():
    """As nohup wants it."""
    shell = ["sh", "-c", "trap '' HUP; exec \"$@\"", "sh", sys.executable, "-c", OUTER]
    asks = "import signal; print(signal.getsignal(signal.SIGHUP).name)"

    done = subprocess.run(
        [*shell, sys.executable, "-c", asks],
        capture_output=True,
        text=True,
        check=True,
        timeout=WITHIN_S,
    )

    assert done.stdout == "SIG_IGN\n"


def test_when_it_stops_so_do_we():
    """The shell has its prompt; and it goes on with us."""
    process = outer("sh", "-c", "kill -STOP $$; exit 5")
    try:
        assert stopped(process.pid)
        process.send_signal(signal.SIGCONT)

        assert process.wait(WITHIN_S) == 5
    finally:
        process.kill()
        process.wait()


INTERRUPTED = """\
import os, signal, sys, time
heard = []
signal.signal(signal.SIGINT, lambda *_: heard.append(1))
signal.signal(signal.SIGTERM, lambda *_: heard.append(10))
if {apart}:
    os.setpgid(0, 0)
print("tty", sys.stdin.isatty(), flush=True)
while 10 not in heard:
    time.sleep(0.01)
sys.exit(sum(heard))
"""


@pytest.mark.parametrize(("apart", "code"), [(False, 11), (True, 10)])
def test_a_terminals_interrupt_is_between_it_and_the_program(apart, code):
    """It comes to the program without us; and where the program has left the group
    that the terminal sends it to, it comes from us neither."""
    master, slave = pty.openpty()
    program = [sys.executable, "-c", INTERRUPTED.format(apart=apart)]
    process = subprocess.Popen(
        [sys.executable, "-c", ON_TERMINAL, *program],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    try:
        read_until(master, b"tty True")
        os.write(master, b"\x03")
        read_until(master, b"^C")  # shown once the signal is sent
        process.send_signal(signal.SIGTERM)  # heard after it, by us and by the program

        assert process.wait(WITHIN_S) == code
    finally:
        process.kill()
        process.wait()
        os.close(master)


def read_until(terminal: int, words: bytes) -> None:
    seen, deadline = b"", time.monotonic() + WITHIN_S
    while words not in seen and time.monotonic() < deadline:
        if select.select([terminal], [], [], 1)[0]:
            seen += os.read(terminal, 1024)  # an error where the program has ended
    assert words in seen

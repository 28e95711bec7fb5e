"""The sign that work goes on: for who looks, when it lasts, and gone when it is done."""

import io
import threading
import types

import IPython  # which a kernel has loaded
import pytest
from rich.console import Console

from lectr_lab.waiting import waiting

LONG_S = 30


class Terminal(io.StringIO):
    """Standard error, as of somebody who looks; it says when something is written."""

    def __init__(self) -> None:
        super().__init__()
        self.told = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if "Reading" in text:
            self.told.set()
        return super().write(text)


@pytest.fixture
def terminal(monkeypatch):
    made = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    return made, Console(file=made, force_terminal=True)


def test_who_waits_is_told_on_a_terminal(terminal):
    """What is being done, and how far it is."""
    written, console = terminal
    with waiting("Reading the log", 0, console) as step:
        step(1_000, 4_000)
        assert written.told.wait(LONG_S)

    assert "Reading the log" in written.getvalue()
    assert "\x1b[2K" in written.getvalue()  # and wiped


def test_what_is_done_soon_says_nothing(terminal):
    """Nothing flashes up."""
    written, console = terminal
    with waiting("Reading the log", LONG_S, console):
        pass

    assert written.getvalue() == ""


def test_nothing_of_it_is_in_a_pipe(capfd):
    """Neither in standard output nor in standard error."""
    with waiting("Reading the log", 0):
        threading.Event().wait(0.05)

    assert capfd.readouterr() == ("", "")


def test_a_wait_inside_another_is_silent(terminal):
    """One line at a time."""
    written, console = terminal
    inner = io.StringIO()
    with (
        waiting("Reading the log", 0, console),
        waiting("Drawing", 0, Console(file=inner, force_terminal=True)),
    ):
        assert written.told.wait(LONG_S)

    assert inner.getvalue() == "" and "Drawing" not in written.getvalue()


def test_an_error_passes_and_the_sign_goes(terminal):
    """The next wait is told again."""
    written, console = terminal
    with pytest.raises(KeyError), waiting("Reading the log", 0, console):
        assert written.told.wait(LONG_S)
        raise KeyError
    written.told.clear()
    with waiting("Reading the log", 0, console):
        assert written.told.wait(LONG_S)


def test_a_cell_has_an_output_that_is_empty_in_the_end(monkeypatch):
    """It is one output, which changes; a function may be a wait as well."""
    shown, told = [], threading.Event()

    class Output:
        def update(self, both, raw):
            shown.append(both["text/html"])

    def display(both, raw, display_id):
        shown.append(both["text/html"])
        told.set()
        return Output()

    kernel = types.SimpleNamespace(kernel=object())
    monkeypatch.setattr(IPython, "get_ipython", lambda: kernel)
    monkeypatch.setattr("IPython.display.display", display)

    @waiting("Reading <the> log", 0)
    def long_work():
        assert told.wait(LONG_S)

    long_work()

    assert shown[0].startswith("<p><i>Reading &lt;the&gt; log")
    assert shown[-1] == ""

"""The bar: on a terminal, for what lasts, with a total; nowhere else."""

import io
import signal

import pytest

from lectr_lab.cli.progress import progress


class Terminal(io.StringIO):
    """Standard error, as of somebody who looks."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "after_s", "shown"),
    [(Terminal, 0.0, True), (Terminal, 60.0, False), (io.StringIO, 0.0, False)],
)
def test_it_is_shown_to_who_waits(monkeypatch, stream, after_s, shown):
    """Nothing goes into a file or a pipe, and nothing flashes up."""
    said = stream()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stderr", said)

    with progress("Looking", "bytes", after_s) as step:
        step(1_000_000, 4_000_000)
        step(2_000_000, 4_000_000)

    assert ("Looking" in said.getvalue()) == shown
    assert ("2.0/4.0 MB" in said.getvalue()) == shown
    assert shown or said.getvalue() == ""


@pytest.mark.usefixtures("usual_signals")
def test_ctrl_c_waits_for_the_step_to_end():
    """The work is interrupted where it says how far it is, and only there."""
    reached = []
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), progress("Looking", "rows") as step:
        signal.raise_signal(signal.SIGINT)
        reached.append("end of step")
        step(1, 2)
        reached.append("another step")

    assert reached == ["end of step"]
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.usefixtures("usual_signals")
def test_the_second_ctrl_c_does_not_wait():
    """For who has changed their mind about patience."""
    with pytest.raises(KeyboardInterrupt), progress("Looking", "rows"):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("it waited")

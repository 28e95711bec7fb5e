"""Lines for whoever started the program."""

import contextlib
import os

from lectr_lab.proxy.stderr import say


def test_a_line_is_written(capfd):
    """To stderr, with the program's name."""
    say("it goes on.")

    assert capfd.readouterr().err == "lectr-lab: it goes on.\n"


def test_nobody_there_to_read_it_is_no_failure(monkeypatch):
    """A pipe whose other end is gone, and a stream that was closed."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    broken = os.fdopen(write_end, "w", buffering=1)
    monkeypatch.setattr("sys.stderr", broken)
    say("unheard")
    say("unheard")
    with contextlib.suppress(BrokenPipeError):
        broken.close()
    say("unheard")

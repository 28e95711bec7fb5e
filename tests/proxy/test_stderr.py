"""Lines for whoever started the program."""

import contextlib
import json
import os
import subprocess
import sys
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.proxy.stderr import FORMAT_VARIABLE, say


def test_a_line_is_written(capfd):
    """To stderr, with the program's name."""
    say("it goes on.", code="going", level="warning")

    assert capfd.readouterr().err == "lectr-lab: it goes on.\n"


def test_as_json_a_line_is_one_object(capfd, monkeypatch):
    """Two lines of text are one as well."""
    monkeypatch.setenv(FORMAT_VARIABLE, "json")
    say("it is broken.\nIt stays.", code="broken", level="error")

    out, err = capfd.readouterr()
    line = json.loads(err)
    assert (out, err.count("\n")) == ("", 1)
    assert list(line) == ["time", "level", "code", "sentence"]
    assert datetime.fromisoformat(line.pop("time")).tzinfo is not None
    assert line == {
        "level": "error",
        "code": "broken",
        "sentence": "it is broken.\nIt stays.",
    }


@given(text=st.text())
def test_whatever_is_said_is_one_line_of_json(text):
    """Quotes, control characters, half a surrogate pair: a collector reads it all."""
    with contextlib.redirect_stderr(Kept()) as kept:
        os.environ[FORMAT_VARIABLE] = "json"
        try:
            say(text)
        finally:
            del os.environ[FORMAT_VARIABLE]

    [line] = kept.text.splitlines()
    assert json.loads(line)["level"] == "info"


class Kept:
    """A stream that only UTF-8 goes through, as a pipe's."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text.encode().decode()

    def flush(self) -> None:
        pass


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


def test_one_that_is_muted_says_nothing_until_it_may():
    """Nor does a library that writes past Python."""
    code = """
import os
from lectr_lab.proxy.stderr import muted, say
say_again = muted()
say("unheard")
os.write(2, b"unheard")
say_again()
say("heard")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stderr == "lectr-lab: heard\n"

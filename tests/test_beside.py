"""Processes beside a proxy."""

import os
import signal
import sys
import textwrap
import time

import msgspec
import pytest
from child_processes import until

from lectr_lab.beside import beside, read_and_tell
from lectr_lab.config.settings import Settings, read_settings
from lectr_lab.config.watch_settings import WatchSettings
from lectr_lab.core.errors import ConfigError

CHILD = """
    import os, sys, time
    from pathlib import Path
    from lectr_lab.beside import obey
    from lectr_lab.core.errors import ConfigError

    def work(settings, stop):
        with open(settings.lab, "a") as file:
            file.write(f"{os.getpid()} {settings.port}\\n")
        if settings.port == 1:
            raise ConfigError("no such port")
        if settings.port == 2:
            os._exit(7)
        stop.wait()
        with open(settings.lab, "a") as file:
            file.write("ended\\n")

    sys.exit(obey("child", work))
"""


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """Where such a process says that it was started, and by which settings."""
    (tmp_path / "a_child.py").write_text(textwrap.dedent(CHILD))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    return tmp_path / "said"


def run(settings):
    return beside("a_child", settings, lambda one: one.port > 0)


def said(lab) -> list[list[str]]:
    text = lab.read_text() if lab.exists() else ""
    return [line.split() for line in text.splitlines()]


@pytest.mark.slow
def test_it_goes_by_the_settings_as_they_are_now(lab):
    """Started, replaced, ended, and started again, as they ask for it."""
    settings = Settings(lab=str(lab), port=0)
    with run(settings) as one:
        one.obey(msgspec.structs.replace(settings, port=8))
        until(lambda: len(said(lab)) == 1)
        one.obey(msgspec.structs.replace(settings, port=9))
        until(lambda: len(said(lab)) == 3)
        one.obey(settings)
        until(lambda: len(said(lab)) == 4)
        one.obey(msgspec.structs.replace(settings, port=10))
        until(lambda: len(said(lab)) == 5)

    assert [line[-1] for line in said(lab)] == [
        "8",
        "ended",
        "9",
        "ended",
        "10",
        "ended",
    ]


@pytest.mark.slow
def test_one_that_dies_is_started_again_and_one_that_has_spoken_is_not(lab, capfd):
    """After ever longer waits; what cannot be done waits for other settings."""
    settings = Settings(lab=str(lab), port=9)
    with run(settings) as one:
        until(lambda: len(said(lab)) == 1)
        os.kill(int(said(lab)[0][0]), signal.SIGKILL)
        until(lambda: len(said(lab)) == 2)
        one.obey(msgspec.structs.replace(settings, port=2))
        until(lambda: len(said(lab)) == 3 + 2)
        one.obey(msgspec.structs.replace(settings, port=1))
        until(lambda: "child: no such port" in capfd.readouterr().err)
        before = said(lab)
        time.sleep(2)
        assert said(lab) == before
        one.obey(settings)
        until(lambda: len(said(lab)) > len(before))

    assert said(lab)[-1] == ["ended"]


def test_what_runs_beside_is_told_what_the_proxy_reads(tmp_path):
    """But for what takes a restart, such as the lab; and nothing that cannot be read."""
    told = []

    class One:
        def obey(self, settings):
            told.append(settings)

    first, new = Settings(lab="here", port=8), Settings(lab="there", port=9)
    asked = WatchSettings(every_s=7)
    new = msgspec.structs.replace(new, watch=asked)

    assert read_and_tell(lambda: new, first, [One(), One()]) is new
    assert [(one.lab, one.port, one.watch) for one in told] == [("here", 8, asked)] * 2
    with pytest.raises(ConfigError):
        read_and_tell(lambda: read_settings(tmp_path / "none", {}), first, [One()])
    assert len(told) == 2


def test_nobody_asked():
    """Then there is none, and it ends at once."""
    with run(Settings(port=0)) as one:
        one.obey(Settings(port=0))

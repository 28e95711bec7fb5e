"""Which proxy a run goes through, with real ones."""

import os
import subprocess
import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from lectr_lab.cli.run_proxy import passage
from lectr_lab.config.settings import ProviderSettings, Settings
from lectr_lab.launch import Child, Order
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.key_file import create_key, disable_key
from lectr_lab.log.scan import scan
from lectr_lab.log.serving import said

ASK = """\
import os, urllib.request as r
headers = {"X-Lectr-Key": os.environ["KEY"], "Authorization": "Bearer sk-test"}
headers |= {"X-Lectr-Feature": "mine", "Content-Type": "application/json"}
asked = r.Request(os.environ["URL"] + "/v1/chat/completions", b'{"model":"m"}', headers)
r.build_opener(r.ProxyHandler({})).open(asked)
"""


@pytest.fixture
def settings(tmp_path, origin, monkeypatch) -> Settings:
    """A lab whose provider answers."""
    monkeypatch.chdir(tmp_path)
    reply = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
    origin.pieces = [(0.0, reply)]
    asked = {"openai": ProviderSettings(base_url=f"{origin.url}/v1")}
    return Settings(lab=str(tmp_path / "lab"), port=0, providers=asked)


@contextmanager
def served(settings: Settings):
    """A proxy that serves the lab, as `lectr-lab serve` does."""
    child = Child(Order(settings=settings))
    try:
        yield child
    finally:
        child.stop()


def ask(way) -> None:
    environ = os.environ | {"URL": way.base_url, "KEY": way.key}
    subprocess.run([sys.executable, "-c", ASK], env=environ, check=True, timeout=60)


def test_the_proxy_that_serves_is_found_and_what_passed_is_told(settings, monkeypatch):
    """With a key of that lab; of the feature alone, since the run began."""
    lab = LabFolder.create(Path(settings.lab))
    _, key = create_key(lab, "team")
    monkeypatch.setenv("LECTR_KEY", key)
    with served(settings) as child:
        with passage(settings, "mine") as way:
            assert (way.base_url, way.key) == (child.base_url, key)
            ask(way)
        with passage(settings, "another's") as other:
            pass

    assert len(way.passed.event_ids) == 1 and way.passed.failed == 0
    assert other.passed.event_ids == []


@pytest.mark.parametrize("why", ["no key", "unknown", "disabled", "taken", "stopped"])
def test_else_it_is_its_own(settings, monkeypatch, why):
    """No key, one of another lab, a disabled one, a port that is somebody else's now, or
    no proxy at all: nothing is sent to any other place."""
    lab = LabFolder.create(Path(settings.lab))
    _, key = create_key(lab, "team")
    if why == "disabled":
        disable_key(lab, "team")
    keys = {"no key": "", "unknown": "lc_key_" + "x" * 32}
    monkeypatch.setenv("LECTR_KEY", keys.get(why, key))
    with served(settings) as child:
        if why in ("taken", "stopped"):
            child.stop()
        stranger = Settings(lab=str(lab.root.with_name("other")), port=0)
        with (
            served(stranger) as other,
            said(lab, other.base_url, "of before") if why == "taken" else nullcontext(),
            passage(settings, "mine") as way,
        ):
            assert way.base_url not in (child.base_url, other.base_url)
            assert way.key != key
            ask(way)

    assert len(way.passed.event_ids) == 1


def test_the_features_name_needs_no_header(settings, monkeypatch):
    """The run's own key has it: for clients that can send none."""
    monkeypatch.delenv("LECTR_KEY", raising=False)
    with passage(settings, "mine") as way:
        environ = os.environ | {"URL": way.base_url, "KEY": way.key}
        bare = ASK.replace('"X-Lectr-Feature": "mine", ', "")
        subprocess.run(
            [sys.executable, "-c", bare], env=environ, check=True, timeout=60
        )

    [feature] = scan(Path(settings.lab)).collect()["feature"]
    assert feature == "mine"

"""`lectr-lab ship`, as a user types it."""

import signal
import subprocess
import sys
from datetime import date
from http.client import HTTPConnection

import pytest
from shipped_lab import add_part, events

from lectr_lab.cli.ship import ship
from lectr_lab.core.errors import ConfigError, LogError
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.key_file import create_key
from lectr_lab.shipping.remote import scan_remote


@pytest.fixture
def lab(tmp_path):
    lab = LabFolder.create(tmp_path / "lab")
    add_part(lab, events(0, 10))
    return lab


@pytest.fixture
def url(tmp_path):
    return f"file://{tmp_path}/store"


def test_what_is_sealed_is_put_once(lab, url, capsys):
    """It says how much that was, and then that there is nothing."""
    ship(url, data=lab.root, once=True)
    assert capsys.readouterr().out.startswith("Shipped 1 object, 0.0 MB, to file://")
    ship(url, data=lab.root, once=True)
    assert capsys.readouterr().out.startswith("Nothing to ship: file://")
    assert scan_remote(url).collect().height == 10


def test_any_machine_merges_and_sweeps(lab, url, capsys):
    """It needs no lab."""
    ship(url, data=lab.root, once=True)
    ship(url, compact=True, sweep=True)

    said = capsys.readouterr().out
    assert "Merged 1 object of days that have ended.\nCounted 2 objects" in said
    assert "Deleted 0 objects that nothing needs" in said
    days = scan_remote(url).collect()["started_at"].dt.date()
    assert set(days) == {date(2026, 11, 24)}


def test_lectr_toml_says_where_to(lab, url, capsys):
    """Beside the lab folder; without it and without a word, what to write is said."""
    with pytest.raises(ConfigError, match=r"\[ship\]"):
        ship(data=lab.root, once=True)
    (lab.root.parent / "lectr.toml").write_text(f'[ship]\nto = "{url}"\n')
    ship(data=lab.root, once=True)

    assert "Shipped 1 object" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("asked", "advice"),
    [
        ({"to": "bucket/prefix"}, "write s3://"),
        ({"to": "s3://k:s@bucket/p"}, "no credentials"),
        ({"to": "file:///x/y", "every": "soon"}, "15min"),
        ({"to": "file:///x/y", "every": "0s"}, "every_s"),
    ],
)
def test_what_cannot_be_followed_is_said(lab, asked, advice):
    """Before anything is written."""
    with pytest.raises(ConfigError, match=advice):
        ship(data=lab.root, once=True, **asked)
    assert not (lab.state / "shipping").exists()


def test_a_folder_that_is_no_lab_is_not_made_one(tmp_path, url):
    """A misspelt name ships nothing."""
    with pytest.raises(LogError):
        ship(url, data=tmp_path / "none", once=True)


@pytest.mark.slow
@pytest.mark.usefixtures("usual_signals")
def test_ctrl_c_stops_it_cleanly(lab, url):
    """With exit code 0 and no traceback."""
    running = subprocess.Popen(
        [sys.executable, "-m", "lectr_lab.cli", "ship", url, "--data", str(lab.root)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert running.stdout is not None
    assert running.stdout.readline().startswith("Shipping")
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=120)

    assert running.returncode == 0 and "Traceback" not in err
    assert out.endswith("No longer shipped.\n")


@pytest.mark.slow
@pytest.mark.usefixtures("usual_signals")
def test_what_a_proxy_logs_reaches_the_store(tmp_path, url):
    """By the time that it has ended; with nothing of what was said, and no key."""
    (tmp_path / "lectr.toml").write_text(
        f'upstream = "http://127.0.0.1:9"\n[ship]\nto = "{url}"\n'
    )
    _, key = create_key(LabFolder.create(tmp_path / "lab"), "acme")
    running = subprocess.Popen(
        [sys.executable, "-m", "lectr_lab.cli", "serve", "--port", "0"],
        stdout=subprocess.PIPE, cwd=tmp_path, text=True,
    )  # fmt: skip
    assert running.stdout is not None
    said = running.stdout.readline()
    port = int(said.split(" The log")[0].rstrip(".").rpartition(":")[2])
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    body = '{"model": "gpt-4o", "messages": [{"role": "user", "content": "CANARY-1"}]}'
    heads = {"X-Lectr-Key": key, "Authorization": "Bearer sk-CANARY-2"}
    heads |= {"X-Lectr-Feature": "chat"}
    connection.request("POST", "/v1/chat/completions", body, heads)
    assert connection.getresponse().read()
    connection.close()
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=120)

    assert scan_remote(url).collect()["feature"].to_list() == ["chat"]
    ship(url, compact=True)
    kept = [*(tmp_path / "store").rglob("*"), *(tmp_path / "lab/state").rglob("*")]
    data = b"".join(path.read_bytes() for path in kept if path.is_file())
    assert b"CANARY" not in data and key.encode() not in data

"""A shipper beside a proxy."""

import os
import signal
import time

import pytest
from child_processes import children, until
from shipped_lab import add_part, events

from lectr_lab.cli.ship_beside import shipped
from lectr_lab.config.settings import Settings
from lectr_lab.config.ship_settings import ShipSettings
from lectr_lab.log.folder import LabFolder
from lectr_lab.shipping.remote import scan_remote

BESIDE = "lectr_lab.cli.ship_beside"


@pytest.fixture
def folder_url(tmp_path):
    return f"file://{tmp_path}/store"


@pytest.mark.slow
def test_a_process_ships_and_ends_with_what_started_it(tmp_path, folder_url):
    """Where `[ship]` asks for one; one that is killed is replaced."""
    lab = LabFolder.create(tmp_path / "lab")
    add_part(lab, events(0, 10))
    asked = ShipSettings(to=folder_url, every_s=1.0)

    def rows() -> int:
        return scan_remote(folder_url).collect().height

    with shipped(Settings(lab=str(lab.root), ship=asked)):
        until(lambda: rows() == 10)
        [first] = children(BESIDE)
        os.kill(first, signal.SIGKILL)
        add_part(lab, events(10, 10))
        until(lambda: rows() == 20)
        assert children(BESIDE) != {first}

    assert not children(BESIDE)


@pytest.mark.slow
def test_what_cannot_be_done_is_said_and_not_tried_again(tmp_path, monkeypatch, capfd):
    """Such as without credentials; whatever serves goes on."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    asked = ShipSettings(to="s3://bucket/prefix")

    with shipped(Settings(lab=str(tmp_path / "lab"), ship=asked)):
        until(lambda: "There are no credentials" in capfd.readouterr().err)
        time.sleep(2)
        assert "credentials" not in capfd.readouterr().err


def test_without_the_section_there_is_no_process():
    """Nobody asked."""
    with shipped(Settings()):
        assert not children(BESIDE)

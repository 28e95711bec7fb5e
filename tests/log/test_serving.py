"""Which proxies serve a lab."""

import subprocess
import sys

import msgspec
import pytest

from lectr_lab.log.folder import LabFolder
from lectr_lab.log.serving import Serving, said, serving

URL = "http://127.0.0.1:8484"


@pytest.fixture
def lab(tmp_path) -> LabFolder:
    return LabFolder.create(tmp_path / "lab")


def file_of(lab: LabFolder, pid: int) -> None:
    written = msgspec.json.encode(Serving(URL, "x", pid))
    (lab.state / f"serving.{pid}.json").write_bytes(written)


def test_a_dead_process_serves_nothing_and_its_file_goes(lab):
    """With the next that serves; who only looks writes nothing."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    file_of(lab, dead.pid)

    assert serving(lab) == []
    assert len(list(lab.state.iterdir())) == 1

    with said(lab, URL, "mine"):
        assert [one.instance for one in serving(lab)] == ["mine"]
        assert len(list(lab.state.iterdir())) == 1
    assert not list(lab.state.iterdir())


@pytest.mark.parametrize("data", [b"", b"{", b'{"pid": 1}', b"[" * 9_000])
def test_a_file_that_says_nothing_is_nobody(lab, data):
    """Torn, of another shape, too large; or a link."""
    (lab.state / "serving.1.json").write_bytes(data)
    (lab.state / "serving.2.json").symlink_to(lab.state / "serving.1.json")

    assert serving(lab) == []


@pytest.mark.parametrize("pid", [0, -1, 2**80])
def test_a_number_that_is_no_process_is_nobody(lab, pid):
    """0 and below mean groups to the kernel."""
    written = b'{"base_url": "%b", "instance": "x", "pid": %d}' % (URL.encode(), pid)
    (lab.state / "serving.1.json").write_bytes(written)

    assert serving(lab) == []


def test_a_folder_that_cannot_be_written_stops_nobody(lab):
    """It is only not found."""
    lab.state.rmdir()

    with said(lab, URL, "mine"):
        assert serving(lab) == []

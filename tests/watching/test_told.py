"""What was told already."""

import subprocess
import sys

import pytest

from lectr_lab.core.errors import LogError
from lectr_lab.log.folder import LabFolder
from lectr_lab.watching import told as telling
from lectr_lab.watching.told import claim, failed, looked, settle, told, unclaim


@pytest.fixture
def lab(tmp_path):
    return LabFolder.create(tmp_path / "lab")


def test_what_is_claimed_or_told_is_not_told_again(lab):
    """By sink; what is put back, is."""
    assert claim(lab, "terminal", "a") and not claim(lab, "terminal", "a")
    assert claim(lab, "file", "a")
    settle(lab, "terminal", "a", "b")
    assert not claim(lab, "terminal", "a") and not claim(lab, "terminal", "b")
    unclaim(lab, "file", "a")
    assert claim(lab, "file", "a")


def test_the_claim_of_a_dead_watcher_ends(lab, monkeypatch):
    """After a while another tells it."""
    now_s = 1e9
    monkeypatch.setattr(telling, "_now_s", lambda: now_s)
    assert claim(lab, "x", "a")
    now_s += telling.CLAIM_S - 1
    assert not claim(lab, "x", "a")
    now_s += 2

    assert claim(lab, "x", "a")


def test_what_fails_again_and_again_is_given_up(lab):
    """After so many looks, and then for good."""
    given_up = []
    for _ in range(telling.MOST_TRIES):
        assert claim(lab, "x", "a")
        given_up.append(failed(lab, "x", "a"))

    assert given_up == [False] * (telling.MOST_TRIES - 1) + [True]
    assert not claim(lab, "x", "a")


def test_of_many_watchers_one_tells(lab):
    """Each key is claimed by one process alone."""
    code = (
        "import sys; from pathlib import Path; from lectr_lab.log.folder import LabFolder;"
        "from lectr_lab.watching.told import claim;"
        "lab = LabFolder(Path(sys.argv[1]));"
        "print(sum(claim(lab, 'x', str(i)) for i in range(40)))"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(lab.root)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]

    assert sum(int(one.communicate(timeout=120)[0]) for one in running) == 40


def test_what_is_old_is_forgotten_and_a_torn_file_is_said(lab, monkeypatch):
    """The file stays small."""
    settle(lab, "x", "a")
    looked(lab, ())
    assert told(lab).sinks["x"] and told(lab).looked_s
    later = telling._now_s() + telling.KEPT_S + 1
    monkeypatch.setattr(telling, "_now_s", lambda: later)
    looked(lab, ())
    assert not told(lab).sinks["x"]
    (lab.state / "told.json").write_text("{")

    with pytest.raises(LogError, match="Put it aside"):
        told(lab)

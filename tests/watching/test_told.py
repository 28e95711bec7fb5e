"""What was told already."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from lectr_lab.core.errors import LogError
from lectr_lab.log.folder import LabFolder
from lectr_lab.watching import told as telling
from lectr_lab.watching.told import (
    Open,
    claim,
    failed,
    heard,
    looked,
    settle,
    told,
    unclaim,
)

KEYS = ("org", "feature")


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
    looked(lab, (), KEYS, 0.3)
    assert told(lab).sinks["x"] and told(lab).looked_s
    later = telling._now_s() + telling.KEPT_S + 1
    monkeypatch.setattr(telling, "_now_s", lambda: later)
    looked(lab, (), KEYS, 0.3)
    assert not told(lab).sinks["x"]
    (lab.state / "told.json").write_text("{")

    with pytest.raises(LogError, match="Put it aside"):
        told(lab)


def open_now(id, budget=0.3):
    return Open(
        id=id,
        keys=KEYS,
        series=("acme", id),
        found=datetime.now(UTC),
        seen_s=1e9,  # where the record ended: long ago
        budget=budget,
        looked_s=telling._now_s(),
    )


def test_who_looks_otherwise_keeps_what_is_open(lab):
    """Another budget, or other keys: one watcher's incidents are not another's."""
    one, other = open_now("a"), open_now("b", budget=1.0)
    looked(lab, [one], KEYS, 0.3)
    looked(lab, [other], KEYS, 1.0)
    assert {o.id for o in told(lab).open} == {"a", "b"}

    looked(lab, [], KEYS, 0.3)
    looked(lab, [], ("org", "model"), 1.0)

    assert [o.id for o in told(lab).open] == ["b"]


def test_what_no_look_has_seen_is_kept_a_week(lab, monkeypatch):
    """As where a watcher by other keys has stopped for good."""
    looked(lab, [open_now("a", budget=1.0)], KEYS, 1.0)
    later = telling._now_s() + telling.OPEN_S + 1
    monkeypatch.setattr(telling, "_now_s", lambda: later)

    looked(lab, [], KEYS, 0.3)

    assert told(lab).open == ()


def test_what_is_over_is_kept_until_all_who_heard_of_it_have_heard(lab):
    """It may be another watcher's sink; one that gave up is waited for no more."""
    one = open_now("a")
    for sink in ("mine", "yours", "broken"):
        settle(lab, sink, "began:a")
    settle(lab, "mine", "ended:a")
    looked(lab, [], KEYS, 0.3, [one])
    state = told(lab)
    assert [(o.id, o.over) for o in state.open] == [("a", True)]
    assert heard(state, "yours", "a")
    assert not heard(state, "mine", "a") and not heard(state, "nobody", "a")

    settle(lab, "yours", "ended:a")
    for _ in range(telling.MOST_TRIES):
        assert claim(lab, "broken", "ended:a")
        failed(lab, "broken", "ended:a")
    looked(lab, [], KEYS, 0.3, [one])

    assert told(lab).open == ()

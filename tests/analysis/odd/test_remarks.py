"""Dismissals and notes, in the state of a lab."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace
from odd_lab import odd_lab

import lectr_lab as lectr
from lectr_lab.analysis.odd.remarks import dismiss, dismissal_of, note, remarks
from lectr_lab.core.errors import LabError, LogError
from lectr_lab.log.folder import LabFolder


@pytest.fixture
def lab(tmp_path):
    return LabFolder(odd_lab(tmp_path / "lab"))


def test_a_dismissed_kind_of_a_feature_stays_quiet_for_as_long_as_it_was_told(lab):
    """By whom and why is kept; another kind, series or time is not quiet."""
    found = lectr.odd(lab.root)
    one = found[0]

    said = found.dismiss(one.id, why="a load test", by="ann", days=3)

    again = lectr.odd(lab.root)
    assert one.id not in [other.id for other in again]
    assert next((quiet.by, quiet.why) for _, quiet in again.dismissed) == (
        "ann",
        "a load test",
    )
    assert "dismissed by ann" in repr(again)
    keys, now = found.looked.keys, said.until - timedelta(hours=1)
    later = {"found": now, "end": None}
    for change, quiet in [
        ({}, True),
        ({"id": "other"} | later, True),
        ({"kinds": (*one.kinds, "errors")}, False),
        ({"series": ("o", "other")}, False),
        ({"end": said.until + timedelta(hours=1)}, False),
        ({"found": one.onset - timedelta(days=1)}, False),
    ]:
        other = replace(one, **change)
        assert (dismissal_of(other, keys, (said,), now) is not None) == quiet, change
    still_open = replace(one, end=None)
    after = said.until + timedelta(minutes=1)
    assert dismissal_of(still_open, keys, (said,), after) is None


def test_a_note_is_shown_with_what_was_odd_at_its_time(lab):
    """Beside what else changed; notes far from it are not."""
    onset = lectr.odd(lab.root)[0].onset

    note(lab, "deployed v2", at=onset - timedelta(minutes=20), by="ann")
    note(lab, "a holiday", at=onset - timedelta(days=3))

    [changed] = [c for c in lectr.odd(lab.root)[0].changed if "noted" in c]
    assert changed.endswith("deployed v2")


def test_two_processes_at_once_lose_no_note(lab):
    """Each waits for the other."""
    code = (
        "import sys; from pathlib import Path; from lectr_lab.log.folder import LabFolder;"
        "from lectr_lab.analysis.odd.remarks import note;"
        "[note(LabFolder(Path(sys.argv[1])), f'{sys.argv[2]}-{i}') for i in range(20)]"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(lab.root), who])
        for who in ("a", "b")
    ]
    assert [one.wait(120) for one in running] == [0, 0]

    assert {one.text for one in remarks(lab).notes} == {
        f"{who}-{i}" for who in "ab" for i in range(20)
    }


def test_what_cannot_be_followed_is_said(lab, tmp_path):
    """A reason, a length, a moment, a lab; and a torn file is named."""
    found = lectr.odd(lab.root)
    with pytest.raises(LabError, match="why it needs"):
        found.dismiss(found[0], why=" ")
    with pytest.raises(LabError, match="days=0"):
        dismiss(lab, found[0], ("org", "feature"), why="x", days=0)
    with pytest.raises(LabError, match="far ahead"):
        note(lab, "x", at=datetime.now(UTC) + timedelta(days=90))
    with pytest.raises(LabError, match="no incident"):
        found.dismiss("nothing", why="x")
    with pytest.raises(LabError, match="name the folder"):
        lectr.odd(lectr.scan(lab.root)).dismiss(found[0].id, why="x")
    (tmp_path / "bare").mkdir()
    with pytest.raises(LogError, match="nothing is remembered"):
        note(LabFolder(tmp_path / "bare"), "x")
    (lab.state / "odd.json").write_text("{")
    with pytest.raises(LogError, match=r"odd\.json cannot be read"):
        lectr.odd(lab.root)

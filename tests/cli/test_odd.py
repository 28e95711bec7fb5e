"""`lectr-lab odd`, as a user types it."""

import json
from datetime import timedelta

import pytest
from odd_lab import odd_lab

import lectr_lab as lectr
from lectr_lab.cli.odd import EXIT_FOUND, dismiss, note, show
from lectr_lab.core.errors import LabError


@pytest.fixture
def lab(tmp_path):
    return odd_lab(tmp_path / "lab")


def test_something_odd_is_exit_code_3_with_what_is_stated_and_measured(lab, capsys):
    """A sentence each, the id that dismisses it, and the rate beside what was measured."""
    with pytest.raises(SystemExit) as ended:
        show(lab)

    shown = capsys.readouterr().out
    assert ended.value.code == EXIT_FOUND == 3
    assert "feature-0" in shown and lectr.odd(lab)[0].id in shown
    assert "Stated: 0.3 false alarms a feature-week. Measured" in shown
    assert "less than two weeks" in shown.replace("\n", " ")


def test_every_number_is_in_the_json(lab, capsys):
    """In ASCII, with the ids of rows as text and parts that sum."""
    with pytest.raises(SystemExit):
        show(lab, json=True)

    told = json.loads(capsys.readouterr().out)
    one = told["incidents"][0]
    assert one["id"] == lectr.odd(lab)[0].id
    assert sum(one["usd_over_parts"].values()) == pytest.approx(one["usd_over"])
    assert all(int(row, 16) for row in one["first_rows"][1:])
    assert told["stated"].startswith("Stated: 0.3")


def test_what_is_dismissed_no_longer_counts(lab, capsys):
    """Exit code 0, by whom and why with --all; and nothing odd is 0 too."""
    for one in lectr.odd(lab):
        dismiss(one.id, lab, why="a load test", for_="2w", by="ann")
    capsys.readouterr()

    show(lab, all=True)

    shown = capsys.readouterr().out.replace("\n", " ")
    assert "Dismissed by ann" in shown and "a load test" in shown
    show(lab, since="1m")


def test_a_note_is_shown_beside_the_incident(lab, capsys):
    """What the user did at that time."""
    onset = lectr.odd(lab)[0].onset
    note("deployed v2", lab, at=(onset - timedelta(hours=1)).replace(tzinfo=None))

    with pytest.raises(SystemExit):
        show(lab)

    assert "deployed v2" in capsys.readouterr().out.split("Noted at", 1)[1]


def test_a_length_that_is_none_is_said(lab):
    """With how to write it."""
    with pytest.raises(LabError, match="such as 12h"):
        dismiss("x", lab, why="x", for_="soon")

"""Import, compaction and the doctor, as a cell calls them."""

from datetime import date, datetime, timedelta

import msgspec
import pytest

import lectr_lab as lectr
from lectr_lab.core.errors import LogError
from lectr_lab.demo.made_up import events
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.schema import frame
from lectr_lab.notebook.upkeep import compact, doctor, import_log

CALLS = {"started_at": "t", "input_tokens": "n", "outcome": "=ok"}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder whose lectr.toml names a lab with two closed days of two files each."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LECTR_LAB", raising=False)
    (tmp_path / "lectr.toml").write_text('lab = "ours"\nkeep_request_ids = true\n')
    lab = LabFolder.create(tmp_path / "ours")
    first, *rest = events(requests=10)
    for days in (0, 1):
        at = first.started_at + timedelta(days=days)
        lab.day(at.date()).mkdir(mode=0o700)
        for n, one in enumerate(rest[days * 4 : days * 4 + 4]):
            row = msgspec.structs.replace(
                one, started_at=at, outcome="ok", provider_request_id=f"req_{n}"
            )
            part = lab.day(at.date()) / f"{days}{n:031d}.parquet"
            frame([row]).write_parquet(part)
            part.chmod(0o600)
    return lab


def test_a_table_comes_into_the_lab_of_lectr_toml(here, tmp_path):
    """Times without a zone are UTC; a second time adds nothing."""
    (tmp_path / "calls.csv").write_text("t,n\n1,10\n2,20\n")
    told = {"kind": "table", "columns": CALLS, "epoch": datetime(2026, 11, 24)}

    first = import_log("calls.csv", **told)
    again = import_log("calls.csv", **told)

    assert (first.added, again.added, again.known) == (2, 0, 2)
    times = lectr.scan("ours", day=date(2026, 11, 24)).collect()["started_at"]
    assert f"{times.min():%H:%M:%S%z}" == "00:00:01+0000"


def test_closed_days_are_merged_as_lectr_toml_says(here):
    """Its keep_request_ids holds here as in the command."""
    done = compact()

    assert (done.merged.days, done.merged.parts_after) == (2, 2)
    assert lectr.scan("ours").collect()["provider_request_id"].null_count() == 0


def test_old_days_go_when_asked(here):
    """What was deleted is told first, and is not merged."""
    done = compact("ours", keep_mb=0)

    assert len(done.deleted.days) == 2
    assert done.merged.days == 0


def test_the_doctor_finds_mends_and_says_what_is_left(here):
    """A stranger in the log that others may open is closed and moved aside."""
    (here.log / "notes.txt").write_text("not a part")

    found, left = doctor(), doctor(mend=True)

    assert [one.kind for one in found] == ["stranger", "mode"]
    assert [one.kind for one in left] == ["set aside"]


@pytest.mark.parametrize("look", [compact, doctor])
def test_a_folder_that_is_no_lab_is_told(look, tmp_path):
    """Nothing is looked at or merged in it."""
    with pytest.raises(LogError, match="is no lab"):
        look(tmp_path)

"""What of a lab waits to be put: every row in one object, whatever becomes of its part."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shipped_lab import add_part, events

from lectr_lab.log.folder import LabFolder
from lectr_lab.log.shipped import destination, note_destination, taken
from lectr_lab.log.upkeep.compact import compact, only_one
from lectr_lab.log.upkeep.replace import replace_rows
from lectr_lab.log.upkeep.retain import retain
from lectr_lab.shipping import outbox
from lectr_lab.shipping.outbox import pending, stage, waiting

DAY = date(2026, 11, 24)


def numbers(lab: LabFolder) -> list[int]:
    """Of every row in the outbox."""
    files = [one.file for one in waiting(lab)]
    return sorted(n for f in files for n in pl.read_parquet(f)["input_tokens"])


def test_every_row_is_staged_once(lab):
    """A day's parts together; staged again, nothing is."""
    for first in (0, 10, 20):
        add_part(lab, events(first, 10))

    assert stage(lab)[:2] == (30, 1)
    assert stage(lab)[:2] == (0, 0)
    assert numbers(lab) == list(range(30))
    assert pending(lab) == {}


def test_an_object_is_named_after_its_parts(lab, tmp_path):
    """Whoever stages the same parts again makes no second name."""
    add_part(lab, events(0, 10))
    stage(lab)
    [first] = waiting(lab)
    for file in (lab.state / "shipping").iterdir():
        if file.name != "to":
            file.unlink()
    stage(lab)
    [again] = waiting(lab)

    assert first.path == again.path


def test_dying_before_the_line_leaves_nothing_that_counts(lab, monkeypatch):
    """The parts are staged by the next run."""
    add_part(lab, events(0, 10))

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(outbox, "note_taken", die)
        stage(lab)
    assert list((lab.state / "shipping").glob("*.parquet"))
    assert list(waiting(lab)) == []
    stage(lab)

    assert numbers(lab) == list(range(10))
    assert len(list((lab.state / "shipping").glob("*.parquet"))) == 1


def test_a_line_that_power_loss_tore_is_none(lab):
    """Nor does it spoil the next."""
    add_part(lab, events(0, 10))
    ledger = lab.state / "shipping" / f"{DAY}.taken"
    ledger.write_bytes(b"\n0123456789 " + b"a.parquet b.par")
    stage(lab)

    assert numbers(lab) == list(range(10))
    assert len(taken(lab, DAY)) == 1


def test_large_batches_become_several_objects(lab, monkeypatch):
    """Each within one request."""
    monkeypatch.setattr(outbox, "MOST_BYTES", 40_000)
    add_part(lab, events(0, 1_000))

    assert stage(lab).objects > 1
    assert numbers(lab) == list(range(1_000))
    assert all(one.file.stat().st_size <= 40_000 for one in waiting(lab))


def test_a_bad_part_is_said_and_not_shipped(lab):
    """The others are; once it is well again, it is too."""
    add_part(lab, events(0, 10))
    [part] = lab.day(DAY).iterdir()
    well = part.read_bytes()
    part.write_bytes(well[:200] + bytes([well[200] ^ 1]) + well[201:])
    add_part(lab, events(10, 10))
    staged = stage(lab)
    part.write_bytes(well)

    assert staged.rows == 10 and str(part) in staged.problems[0]
    assert stage(lab).rows == 10
    assert numbers(lab) == list(range(20))


def test_a_part_that_fails_late_holds_up_no_other(lab, monkeypatch):
    """Whatever it is that the engine does not like of it."""
    for first in (0, 10, 20):
        add_part(lab, events(first, 10))
    bad = sorted(lab.day(DAY).iterdir())[1]
    read = outbox.part_rows

    def fails(path, schema):
        rows = read(path, schema)
        return rows.filter(pl.lit(1) / "x") if path == bad else rows

    monkeypatch.setattr(outbox, "part_rows", fails)
    staged = stage(lab)

    assert staged.rows == 20 and str(bad) in staged.problems[0]
    assert len(numbers(lab)) == 20


def test_nothing_is_staged_while_the_log_is_rewritten(lab, monkeypatch):
    """It is the next time."""
    monkeypatch.setattr(outbox, "_PATIENCE_S", 0.0)
    add_part(lab, events(0, 10))
    with only_one(lab):
        assert stage(lab).rows == 0

    assert stage(lab).rows == 10


def test_a_lab_that_is_not_shipped_is_left_alone(tmp_path):
    """Compaction merges all of a day, and nothing is written in state/."""
    lab = LabFolder.create(tmp_path / "other")
    for first in (0, 10):
        add_part(lab, events(first, 10))
    compact(lab, today=DAY + timedelta(days=1))

    assert len(list(lab.day(DAY).iterdir())) == 1
    assert destination(lab) is None
    assert not (lab.state / "shipping").exists()


def test_replaced_rows_do_not_come_again(lab):
    """What is left of a part that was taken is taken; new rows are not."""
    add_part(lab, events(0, 10))
    stage(lab)
    [part] = lab.day(DAY).iterdir()
    rows = pl.read_parquet(part)
    new = pl.read_parquet(part).clear()
    add_part(lab, events(20, 1))
    with only_one(lab):
        replace_rows(lab, DAY, [], rows["event_id"][:3].to_list(), [part])
    stage(lab)

    assert new.height == 0
    assert numbers(lab) == [*range(10), 20]


def test_days_that_wait_are_not_forgotten(lab):
    """They go once they are staged: then the outbox has their rows."""
    add_part(lab, events(0, 10))
    later = DAY + timedelta(days=9)

    assert retain(lab, max_age_days=1, today=later).unshipped == (DAY,)
    stage(lab)
    assert retain(lab, max_age_days=1, today=later).days == (DAY,)
    assert numbers(lab) == list(range(10))


STEPS = st.sampled_from(["seal", "late", "stage", "die", "compact", "retain"])


@settings(max_examples=15)
@given(st.lists(STEPS, min_size=3, max_size=12))
def test_whatever_upkeep_does_each_row_is_staged_once(tmp_path_factory, steps):
    """Sealing, dying, compaction and retention in any order."""
    lab = LabFolder.create(tmp_path_factory.mktemp("lab"))
    note_destination(lab, "file:///anywhere")
    made, put = 0, []
    for step in [*steps, "stage"]:
        if step in ("seal", "late"):
            add_part(lab, events(made, 3, day=int(step == "late")))
            made += 3
        elif step == "compact":
            compact(lab, today=DAY + timedelta(days=5))
        elif step == "retain":
            retain(lab, max_age_days=1, today=DAY + timedelta(days=9))
        elif step == "stage":
            stage(lab)
            put += numbers(lab)
            for one in list(waiting(lab)):
                one.file.unlink()
        else:
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(outbox, "note_taken", lambda *_: 1 / 0)
                if pending(lab):
                    with pytest.raises(ZeroDivisionError):
                        stage(lab)

    assert sorted(put) == list(range(made))

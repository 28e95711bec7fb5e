"""Rows enter the log once, and in the place of their older ones; dying harms nothing."""

import contextlib
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.core.errors import LogError
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.importers import commit as committing
from lectr_lab.log.importers.commit import commit, plan_of
from lectr_lab.log.importers.staging import Staging, Told
from lectr_lab.log.scan import scan
from lectr_lab.log.shipped import note_destination, note_taken
from lectr_lab.log.upkeep.compact import compact, only_one

AT = datetime(2026, 11, 24, tzinfo=UTC)


def event(number: int, day: int = 0, **more):
    return {
        "event_id": bytes(6) + number.to_bytes(10),
        "started_at": AT + timedelta(days=day, seconds=number),
        "org": "acme",
        "kind": "request",
        "token_source": "provider",
        "source": "s",
        "source_id": str(number),
        **more,
    }


def put(lab, folder, *events, history=False, told=Told()):  # noqa: B008 - a value
    folder.mkdir(exist_ok=True)
    staged = Staging(folder)
    for one in events:
        staged.add(one, told)
    return commit(lab, staged, history=history)


def outputs(lab) -> dict[str, int]:
    rows = scan(lab.root).collect()
    assert rows["source_id"].n_unique() == rows.height
    return dict(zip(rows["source_id"], rows["output_tokens"], strict=True))


versions = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 2), st.integers(0, 3)), max_size=8
)


@given(st.lists(versions, max_size=4), st.booleans())
@settings(max_examples=15, deadline=None)
def test_whatever_is_imported_again_each_call_is_there_once(
    tmp_path_factory, imports, compacts
):
    """As the last import that had it says it, on the day that it says."""
    folder = tmp_path_factory.mktemp("lab")
    lab = LabFolder.create(folder / "lab")
    expected: dict[str, tuple[int, int]] = {}
    for number, rows in enumerate(imports):
        best: dict[int, tuple[int, int]] = {}
        for id_, day, output in rows:
            if id_ not in best or (output, -day) > (best[id_][1], -best[id_][0]):
                best[id_] = (day, output)
        put(
            lab,
            folder / str(number),
            *(event(id_, day, output_tokens=output) for id_, day, output in rows),
        )
        expected |= {str(id_): found for id_, found in best.items()}
        if compacts:
            compact(lab)

    found = scan(lab.root).collect()
    days = (found["started_at"].dt.date() - AT.date()).dt.total_days()
    got = zip(found["source_id"], days, found["output_tokens"], strict=True)
    assert sorted(got) == sorted((i, d, o) for i, (d, o) in expected.items())


def test_a_history_keeps_the_fuller_row(lab, tmp_path):
    """A copy with a new time, or a shorter one, changes nothing."""
    put(lab, tmp_path / "1", event(1, output_tokens=9))
    copy = put(lab, tmp_path / "2", event(1, 1, output_tokens=9), history=True)
    short = put(lab, tmp_path / "3", event(1, output_tokens=2), history=True)
    full = put(lab, tmp_path / "4", event(1, output_tokens=12), history=True)

    assert [(p.known, p.replaced) for p in (copy, short, full)] == [
        (1, 0),
        (1, 0),
        (0, 1),
    ]
    assert outputs(lab) == {"1": 12}


def test_an_alias_is_known_too(lab, tmp_path):
    """A row that had another id in an earlier import."""
    put(lab, tmp_path / "1", event(1, output_tokens=9))
    alias = Told(alias=event(1)["event_id"][6:])

    plan = put(lab, tmp_path / "2", event(7, output_tokens=9), told=alias)

    assert (plan.added, plan.replaced) == (0, 1)
    assert outputs(lab) == {"7": 9}


def test_dying_between_two_days_leaves_the_rest_to_the_next_import(
    lab, tmp_path, monkeypatch
):
    """What is there is whole; nothing is there twice."""
    rows = [event(n, n, output_tokens=1) for n in range(4)]
    put(lab, tmp_path / "1", *rows)
    changed = [one | {"output_tokens": 5} for one in rows]
    real, days = committing.replace_rows, []

    def dies(*given):
        days.append(given[1])
        if len(days) == 3:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(committing, "replace_rows", dies)
    with pytest.raises(KeyboardInterrupt):
        put(lab, tmp_path / "2", *changed)
    half = outputs(lab)
    monkeypatch.undo()
    done = put(lab, tmp_path / "3", *changed)

    assert sorted(half.values()) == [1, 1, 5, 5]
    assert (done.replaced, done.known) == (2, 2)
    assert set(outputs(lab).values()) == {5}


def test_a_plan_writes_nothing(lab, tmp_path):
    """Also where there is no lab."""
    staged = Staging(tmp_path)
    staged.add(event(1), Told())

    plan = plan_of(LabFolder(tmp_path / "none"), staged, history=False)

    assert (plan.added, plan.replaced, plan.known) == (1, 0, 0)
    assert not (tmp_path / "none").exists()


def test_it_waits_for_who_rewrites_the_log(lab, tmp_path, monkeypatch):
    """Not for ever."""
    monkeypatch.setattr(committing, "_PATIENCE_S", 0.0)

    with only_one(lab), pytest.raises(LogError, match="being rewritten"):
        put(lab, tmp_path / "1", event(1))


def test_parts_that_cannot_be_read_stay(lab, tmp_path):
    """They are the doctor's; the rest is imported."""
    lab.day(AT.date()).mkdir()
    bad = lab.day(AT.date()) / f"{1:032x}.parquet"
    bad.write_bytes(b"not parquet")

    put(lab, tmp_path / "1", event(1, output_tokens=1))

    assert bad.read_bytes() == b"not parquet"
    with pytest.warns(match="cannot be read"):
        assert scan(lab.root).select(pl.len()).collect().item() == 1


RUN = """
import sys
from pathlib import Path
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.importers.importing import import_log
import_log(Path(sys.argv[1]), LabFolder(Path(sys.argv[2])), kind="table", org="acme")
"""
DAYS, A_DAY = 8, 40


def table(folder, output: int):
    rows = [
        f"call-{day:02}-{n:06},2026-11-{day + 1:02}T10:00:00Z,100,{output}"
        for day in range(DAYS)
        for n in range(A_DAY)
    ]
    file = folder / f"{output}.csv"
    head = "request_id,time,input_tokens,output_tokens"
    file.write_text("\n".join([head, *rows]) + "\n")
    return file


@pytest.mark.slow
def test_a_kill_at_any_time_leaves_each_call_there_once(lab, tmp_path):
    """As it was or as it is now; the next import finishes it."""
    command = [sys.executable, "-c", RUN]
    subprocess.run([*command, table(tmp_path, 1), lab.root], check=True)
    partly = 0
    for output in range(2, 5):
        file = table(tmp_path, output)
        process = subprocess.Popen([*command, file, lab.root])
        before = output - 1
        while process.poll() is None:
            with contextlib.suppress(FileNotFoundError):  # a day changed: look again
                if output in set(scan(lab.root).collect()["output_tokens"]):
                    process.kill()  # it has begun
        process.wait()
        found = scan(lab.root).collect()
        assert found["source_id"].n_unique() == found.height == DAYS * A_DAY
        assert set(found["output_tokens"]) <= {before, output}
        partly += found["output_tokens"].n_unique() > 1
        subprocess.run([*command, file, lab.root], check=True)
        assert set(scan(lab.root).collect()["output_tokens"]) == {output}
    assert partly > 0


def test_a_row_that_was_shipped_stays(lab, tmp_path):
    """The store's is written once: a second would be one more there."""
    note_destination(lab, "s3://bucket/prefix")
    put(lab, tmp_path / "a", event(1, output_tokens=3))
    note_taken(lab, AT.date(), [p.name for p in lab.day(AT.date()).iterdir()], "one")
    put(lab, tmp_path / "b", event(2, output_tokens=4))
    done = put(
        lab, tmp_path / "c", event(1, output_tokens=9), event(2, output_tokens=9)
    )

    assert (done.known, done.replaced) == (1, 1)
    assert outputs(lab) == {"1": 3, "2": 9}

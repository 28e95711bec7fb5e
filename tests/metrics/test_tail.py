"""The log counted as it grows, whatever happens to its files."""

import shutil
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics_rows import NOW, events

from lectr_lab.core.errors import LogError
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.journal import JournalWriter
from lectr_lab.log.scan import scan
from lectr_lab.log.seal import seal
from lectr_lab.log.upkeep.compact import compact
from lectr_lab.metrics.counts import count, needed
from lectr_lab.metrics.labels import LABELS, Names
from lectr_lab.metrics.priced import priced_by_list
from lectr_lab.metrics.series import rows_of
from lectr_lab.metrics.tail import Tail

TOMORROW = (NOW + timedelta(days=1)).date()
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from("ab"), st.sampled_from([0, 1, 9])),
        st.sampled_from(["seal", "compact", "look", "killed a", "torn", "restart"]),
    ),
    max_size=12,
)


def of_rows(lab: LabFolder) -> dict:
    """What the log's rows come to, counted at once."""
    log = priced_by_list(lab)(scan(lab.root))
    names = Names(500, len(LABELS)), Names(50, 1)
    return dict(count(needed(log).collect(), *names))


def shown(tail: Tail) -> dict:
    return {key: n for key, n in tail.total.items() if n}


@pytest.mark.filterwarnings("ignore::lectr_lab.log.scan.LogWarning")  # torn ones
@given(steps=STEPS)
@settings(max_examples=15)
def test_at_every_look_the_sums_are_those_of_the_rows(steps, tmp_path_factory):
    """Two writers, sealed, compacted, killed, torn, and looked at at any moment; after a
    restart they are the same."""
    lab = LabFolder.create(tmp_path_factory.mktemp("lab"))
    tail, writers, number = Tail(lab, priced_by_list(lab)), {}, 0
    for step in [*steps, "look"]:
        if isinstance(step, tuple):
            name, days_ago = step
            writers.setdefault(name, JournalWriter(lab)).append(
                events(number, 7, days_ago)
            )
            number += 7
        elif step == "seal":
            writers.pop("a", JournalWriter(lab)).close()
            seal(lab)
        elif step == "compact":
            writers.pop("b", JournalWriter(lab)).close()
            compact(lab, today=TOMORROW)
        elif step == "killed a":
            writers.pop("a", None)  # its lock goes with it
        elif step == "torn" and lab.segments():
            with lab.segments()[0].open("ab") as file:
                file.write(b"\x10")
        elif step == "restart":
            tail = Tail(lab, priced_by_list(lab))
        else:
            tail.look()
            assert rows_of(tail.total) == scan(lab.root).collect().height
            assert shown(tail) == of_rows(lab)
    for writer in writers.values():
        writer.close()


def test_what_is_deleted_stays_counted(lab):
    """A counter never goes back while the process lives."""
    writer = JournalWriter(lab)
    writer.append(events(0, 5, days_ago=9))
    writer.append(events(5, 5))
    writer.close()
    seal(lab)
    tail = Tail(lab)
    tail.look()
    shutil.rmtree(lab.day(lab.days()[0]))
    tail.look()
    more = JournalWriter(lab)
    more.append(events(10, 5))
    tail.look()
    more.close()

    assert rows_of(tail.total) == 15
    again = Tail(lab)
    again.look()
    assert rows_of(again.total) == 10


def test_only_days_from_the_first_on_are_counted(lab):
    """With `since`; the first day is told."""
    writer = JournalWriter(lab)
    for days_ago in (0, 1, 2):
        writer.append(events(10 * days_ago, 5, days_ago))
    writer.close()
    seal(lab)
    since = (NOW - timedelta(days=1)).date()
    tail = Tail(lab, since=since)
    tail.look()

    assert (rows_of(tail.total), tail.first_day) == (10, since)


@pytest.mark.filterwarnings("ignore::lectr_lab.log.scan.LogWarning")
def test_a_part_that_cannot_be_read_is_left_out(lab):
    """The rest is counted, and a look costs no error."""
    for start in (0, 5):
        writer = JournalWriter(lab)
        writer.append(events(start, 5))
        writer.close()
        seal(lab)
    part = min(lab.log.rglob("*.parquet"))
    part.write_bytes(part.read_bytes()[:-9])
    tail = Tail(lab)
    tail.look()

    assert rows_of(tail.total) == 5
    assert tail.left_out == {part.name}


def test_an_empty_lab_has_no_counts(lab):
    """And one that is gone is said."""
    tail = Tail(lab)
    tail.look()
    shutil.rmtree(lab.root)

    assert (dict(tail.total), tail.first_day) == ({}, None)
    with pytest.raises(LogError, match="no folder"):
        tail.look()

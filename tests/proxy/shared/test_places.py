"""Streams at once, over processes."""

import json
import os
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.proxy.shared import places as places_module
from lectr_lab.proxy.shared.member import Member
from lectr_lab.proxy.shared.places import Places

HOLD = """
import sys, time
from pathlib import Path
from lectr_lab.proxy.shared.member import Member
from lectr_lab.proxy.shared.places import Places
folder = Path(sys.argv[1])
places = Places(folder / "a", int(sys.argv[2]), Member(folder))
print(sum(places.take() for _ in range(int(sys.argv[3]))), flush=True)
time.sleep(60)
"""
HAMMER = """
import json, sys, time
from pathlib import Path
from lectr_lab.proxy.shared.member import Member
from lectr_lab.proxy.shared.places import Places
folder = Path(sys.argv[1])
places = Places(folder / "a", int(sys.argv[2]), Member(folder))
print("ready", flush=True)
sys.stdin.readline()
spans = []
for _ in range(int(sys.argv[3])):
    if places.take():
        began = time.monotonic()
        ended = time.monotonic()
        places.give_back()
        spans.append([began, ended])
print(json.dumps(spans), flush=True)
"""


@given(
    limit=st.integers(1, 5),
    steps=st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=80),
)
def test_there_are_never_more_than_the_limit(tmp_path_factory, limit, steps):
    """And always as many: whoever is refused is refused rightly."""
    folder = tmp_path_factory.mktemp("places")
    members = [Member(folder) for _ in range(3)]
    many = [Places(folder / "a", limit, member) for member in members]
    held = [0, 0, 0]
    for at, takes in steps:
        if takes:
            taken = many[at].take()
            assert taken == (sum(held) < limit)
            held[at] += taken
        elif held[at]:
            many[at].give_back()
            held[at] -= 1
    for one in (*many, *members):
        one.close()


def test_what_a_killed_process_had_is_given_back(run_python, tmp_path):
    """When somebody would be refused otherwise; one that lives keeps its own."""
    living = Places(tmp_path / "a", 5, Member(tmp_path))
    assert living.take()
    process = run_python(HOLD, tmp_path, 5, 9)
    assert int(process.stdout.readline()) == 4
    assert not living.take()
    process.send_signal(signal.SIGKILL)
    process.wait()

    assert [living.take() for _ in range(5)] == [True] * 4 + [False]
    again = Places(tmp_path / "a", 5, Member(tmp_path))
    assert not again.take()
    living.give_back()
    assert again.take()


def test_processes_that_hammer_have_no_more_at_once(run_python, tmp_path):
    """Whatever the spans, two places are in no three hands."""
    running = [run_python(HAMMER, tmp_path, 2, 1_500) for _ in range(4)]
    for process in running:
        process.stdout.readline()
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    spans = [s for p in running for s in json.loads(p.stdout.readline())]
    ends = sorted([(began, 1) for began, _ in spans] + [(end, -1) for _, end in spans])

    at_once = most = 0
    for _, change in ends:
        at_once += change
        most = max(most, at_once)
    assert len(spans) > 1_500
    assert most <= 2


def test_a_file_that_was_cut_off_or_removed_is_made_anew(tmp_path, monkeypatch):
    """With what this process has; others come to it again."""
    monkeypatch.setattr(places_module, "_LOOK_EVERY_S", 0.0)
    path = tmp_path / "a"
    one, other = (Places(path, 2, Member(tmp_path)) for _ in range(2))
    assert one.take()
    os.truncate(path, 0)
    assert one.take()
    assert not other.take()
    path.unlink()
    one.take()
    other.take()

    assert not one.take()
    assert not other.take()


def test_there_is_room_for_processes_that_live_alone(tmp_path, monkeypatch):
    """A row of a dead one is taken; one too many is said."""
    monkeypatch.setattr(places_module, "_MOST_ROWS", 2)
    members = [Member(tmp_path) for _ in range(3)]
    for member in members[:2]:
        Places(tmp_path / "a", 1, member)

    with pytest.raises(OSError, match="too many"):
        Places(tmp_path / "a", 1, members[2])
    members[0].close()
    assert Places(tmp_path / "a", 1, members[2]).take()

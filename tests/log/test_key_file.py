"""The key file: made, rotated, disabled; seen by every process; never holding a key."""

import json
import os
import re
from multiprocessing.pool import ThreadPool

import pytest

from lectr_lab.core.errors import LogError
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.key_file import (
    KeyFile,
    create_key,
    disable_key,
    list_keys,
    rotate_key,
)


def find(lab: LabFolder, key: str):
    return KeyFile(lab).table(0.0).find(key)


def test_a_new_key_is_known_and_written_nowhere(lab):
    """With its organisation and feature; the file is private and holds a digest."""
    entry, key = create_key(lab, "acme", "chat")

    assert find(lab, key) == entry
    assert (entry.org, entry.feature, entry.disabled_at) == ("acme", "chat", None)
    assert re.fullmatch("lc_key_[0-9a-z]{39}", key)
    assert (lab.state / "keys.json").stat().st_mode & 0o777 == 0o600
    for path in lab.root.rglob("*"):
        assert path.is_dir() or key[7:].encode() not in path.read_bytes()


def test_two_keys_of_an_org_are_two_entries(lab):
    """Ids, keys and digests differ; the list is in order of age."""
    first, key = create_key(lab, "acme")
    second, other = create_key(lab, "acme")

    assert list_keys(lab) == [first, second]
    assert key != other
    assert len({first.key_id, second.key_id, first.digest, second.digest}) == 4


@pytest.mark.parametrize("org", ["", "a b", "a/b", "ü", "x" * 65, "a\n"])
def test_a_name_that_is_none_is_refused(lab, org):
    """Names are safe in a file name, a URL and a terminal."""
    with pytest.raises(LogError, match="1 to 64 letters"):
        create_key(lab, org)

    assert list_keys(lab) == []


def test_rotation_replaces_one_key(lab):
    """By organisation or id: the old one stops, the feature stays."""
    old, old_key = create_key(lab, "acme", "chat")
    middle, middle_key = rotate_key(lab, "acme")
    new, new_key = rotate_key(lab, middle.key_id)

    assert (new.org, new.feature) == ("acme", "chat")
    assert find(lab, new_key).disabled_at is None
    for key in (old_key, middle_key):
        assert find(lab, key).disabled_at is not None
    assert [e.key_id for e in list_keys(lab)] == [
        old.key_id,
        middle.key_id,
        new.key_id,
    ]


def test_rotation_of_several_keys_asks_which(lab):
    """An organisation with two active keys must name one."""
    ids = [create_key(lab, "acme")[0].key_id for _ in range(2)]

    with pytest.raises(LogError, match=f"{ids[0]}, {ids[1]}"):
        rotate_key(lab, "acme")


def test_disabling_an_org_stops_all_its_keys(lab):
    """And nobody else's; by id, one key."""
    mine = [create_key(lab, "acme")[1] for _ in range(3)]
    entry, theirs = create_key(lab, "other")

    first = disable_key(lab, find(lab, mine[0]).key_id)
    rest = disable_key(lab, "acme")

    assert (len(first), len(rest)) == (1, 2)
    assert all(find(lab, key).disabled_at for key in mine)
    assert find(lab, theirs) == entry
    with pytest.raises(LogError, match="no active key"):
        disable_key(lab, "acme")


@pytest.mark.parametrize("change", [rotate_key, disable_key])
def test_an_unknown_org_is_told_the_near_ones(lab, change):
    """A typing error costs one look."""
    create_key(lab, "marketing")

    with pytest.raises(LogError, match=r"'marketign'.*marketing.*keys list"):
        change(lab, "marketign")


def test_a_proxy_sees_a_change_within_a_quarter_of_a_second(lab):
    """It looks no more often than that."""
    _, key = create_key(lab, "acme")
    keys = KeyFile(lab)
    keys.table(10.0)
    _, new = rotate_key(lab, "acme")

    early = keys.table(10.2)
    late = keys.table(10.3)

    assert early.find(key).disabled_at is None
    assert early.find(new) is None
    assert late.find(key).disabled_at is not None
    assert late.find(new) is not None
    assert keys.table(10.8) is late


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"salt": "xyz"}', b"\xff"])
def test_a_broken_file_keeps_the_last_good_keys(lab, content):
    """Requests go on; the problem is there to be shown, and goes when mended."""
    entry, key = create_key(lab, "acme")
    path = lab.state / "keys.json"
    good = path.read_bytes()
    keys = KeyFile(lab)
    problems = []
    for now, data in enumerate((good, content, None, good)):
        if data is None:
            path.unlink()
        else:
            path.write_bytes(data)
        assert keys.table(float(now)).find(key) == entry
        problems.append(keys.problem)

    assert problems[0] is None
    assert "not a key file" in problems[1]
    assert "There is no" in problems[2]
    assert problems[3] is None


def test_a_broken_file_is_never_overwritten(lab):
    """Making a key says what to do instead."""
    path = lab.state / "keys.json"
    path.write_text("{")

    with pytest.raises(LogError, match="Bring it back from a copy"):
        create_key(lab, "acme")

    assert path.read_text() == "{"


def test_a_lab_without_keys_knows_none(lab):
    """And says so, instead of failing."""
    keys = KeyFile(lab)

    assert keys.table(0.0).find("lc_key_a") is None
    assert "no key is known" in keys.problem
    assert list_keys(lab) == []


def test_a_place_that_takes_no_keys_is_an_error(lab, small_disk, set_read_only):
    """Read-only or missing: the message names the place."""
    read_only = LabFolder.create(small_disk / "lab")
    set_read_only(True)

    for folder in (read_only, LabFolder(lab.root / "nowhere")):
        with pytest.raises(LogError, match=f"{folder.state} cannot be written"):
            create_key(folder, "acme")


def _create_five(lab: LabFolder) -> None:
    for _ in range(5):
        create_key(lab, "acme")


def test_keys_made_at_once_are_all_there(lab):
    """Whoever opens the lock waits for the others, in this process or another."""
    with ThreadPool(4) as pool:
        pool.map(_create_five, [lab] * 4)

    entries = list_keys(lab)

    assert len({entry.key_id for entry in entries}) == 20
    assert json.loads((lab.state / "keys.json").read_text())["version"] == 1


def test_nothing_that_somebody_planted_is_written_to(lab):
    """A link under the name that the keys are written aside to, or read from."""
    victim = lab.root / "victim"
    victim.write_text("mine")
    (lab.state / "keys.json.tmp").symlink_to(victim)
    create_key(lab, "acme")
    made = lab.state / "keys.json"
    assert not made.is_symlink()
    made.rename(lab.state / "mine.json")
    made.symlink_to(lab.state / "mine.json")

    with pytest.raises(LogError, match="it is a link, not a file"):
        create_key(lab, "acme")

    assert victim.read_text() == "mine"


def test_a_pipe_in_the_files_place_is_not_waited_for(lab):
    """A proxy goes on with the keys that it has, and says so."""
    _, key = create_key(lab, "acme")
    file = KeyFile(lab)
    file.table(0.0)
    (lab.state / "keys.json").unlink()
    os.mkfifo(lab.state / "keys.json")

    assert file.table(1.0).find(key)
    assert "a pipe, not a file" in (file.problem or "")

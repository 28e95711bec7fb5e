"""The secret of keyed hashes: made once, kept by its owner, or given."""

import os
import subprocess
import sys
from multiprocessing.pool import ThreadPool

import pytest

from lectr_lab.core.errors import LogError
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.hash_secret import hash_secret, weakness


def test_a_lab_makes_one_and_keeps_it(lab):
    """Private, long, and the same at the next start; another lab has another."""
    secret = hash_secret(lab, {})

    assert hash_secret(lab, {}) == secret
    assert len(secret) == 64
    assert (lab.state / "hash_key").stat().st_mode & 0o777 == 0o600
    assert hash_secret(LabFolder.create(lab.root / "another"), {}) != secret


def test_a_fleet_is_given_one(lab):
    """It counts before the file, and makes none."""
    assert hash_secret(lab, {"LECTR_HASH_KEY": " " + "k" * 16}) == "k" * 16
    assert not (lab.state / "hash_key").exists()
    assert len(hash_secret(lab, {"LECTR_HASH_KEY": " "})) == 64


def test_one_that_can_be_guessed_is_stretched_and_warned_of(lab):
    """With the command that makes a better one, and without the secret."""
    weak = {"LECTR_HASH_KEY": "hunter2"}

    assert hash_secret(lab, weak) == hash_secret(lab, weak) != "hunter2"
    assert hash_secret(lab, weak) != hash_secret(lab, {"LECTR_HASH_KEY": "hunter3"})
    assert "openssl rand" in weakness(weak)
    assert "hunter2" not in weakness(weak)
    assert weakness({}) is weakness({"LECTR_HASH_KEY": "k" * 16}) is None


@pytest.mark.parametrize("broken", [b"", b"short", b"\xff" * 40, b"x" * 5000])
def test_what_is_no_secret_is_left_as_it_is(lab, broken):
    """A new one would give everybody a new hash, unasked."""
    path = lab.state / "hash_key"
    path.write_bytes(broken)

    with pytest.raises(
        LogError, match=r"hash_key is no secret any|more than 4,096 bytes"
    ):
        hash_secret(lab, {})

    assert path.read_bytes() == broken


def test_a_link_is_not_followed(lab, tmp_path):
    """Else whoever may write there chooses the secret."""
    (tmp_path / "chosen").write_text("c" * 64)
    (lab.state / "hash_key").symlink_to(tmp_path / "chosen")

    with pytest.raises(LogError, match="it is a link, not a file"):
        hash_secret(lab, {})


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_is_said(lab):
    """And nothing else breaks."""
    lab.state.chmod(0o500)
    try:
        with pytest.raises(LogError, match="no hash of a user is logged"):
            hash_secret(lab, {})
    finally:
        lab.state.chmod(0o700)


def test_all_who_start_at_once_have_the_same(lab):
    """Threads, and processes of their own."""
    code = (
        "import sys; from pathlib import Path;"
        "from lectr_lab.log.folder import LabFolder;"
        "from lectr_lab.log.hash_secret import hash_secret;"
        "print(hash_secret(LabFolder(Path(sys.argv[1])), {}))"
    )
    command = [sys.executable, "-c", code, str(lab.root)]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    told = {process.communicate(timeout=60)[0].strip() for process in processes}
    with ThreadPool(8) as pool:
        told |= set(pool.map(lambda _: hash_secret(lab, {}), range(8)))

    assert len(told) == 1
    assert len(told.pop()) == 64
    assert {p.name for p in lab.state.iterdir()} <= {"hash_key", "hash_key.lock"}


def test_threads_agree_on_a_new_one(lab):
    """The same, where all begin within the same moment."""
    with ThreadPool(8) as pool:
        assert len(set(pool.map(lambda _: hash_secret(lab, {}), range(8)))) == 1

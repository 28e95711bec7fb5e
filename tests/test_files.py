"""What is no file is neither waited for, read, nor written through."""

import os
import socket
import stat
from pathlib import Path

import pytest

from lectr_lab.files import open_regular, read_regular, write_whole


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))


def make_link_to_zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (make_pipe, "a pipe"),
        (make_socket, "a socket"),
        (make_link_to_zeros, "a device"),
        (make_folder, "a folder"),
    ],
)
def test_what_is_no_file_is_named_at_once(tmp_path, make, said):
    """Nobody waits for a writer that never comes, or for the end of what has none."""
    make(tmp_path / "file")

    with pytest.raises(OSError, match=said) as caught:
        read_regular(tmp_path / "file")

    assert caught.value.filename == str(tmp_path / "file")


def test_a_link_is_followed_where_it_may_be(tmp_path):
    """A user's settings may be one; a file of a lab is none."""
    (tmp_path / "file").write_bytes(b"port = 1")
    (tmp_path / "link").symlink_to(tmp_path / "file")

    assert read_regular(tmp_path / "link") == b"port = 1"
    with pytest.raises(OSError, match="a link"):
        read_regular(tmp_path / "link", follow=False)


def test_a_pipe_in_the_place_of_a_file_that_was_looked_at_is_not_waited_for(
    tmp_path, monkeypatch
):
    """Between the look and the opening somebody may put another thing there."""
    path = tmp_path / "file"
    path.touch()
    before = path.stat()
    path.unlink()
    os.mkfifo(path)
    monkeypatch.setattr(Path, "stat", lambda self, **_: before)

    with pytest.raises(OSError, match="a pipe"):
        open_regular(path)


def test_a_bound_is_a_bound(tmp_path):
    """To the byte."""
    (tmp_path / "file").write_bytes(bytes(1000))

    assert read_regular(tmp_path / "file", most_bytes=1000) == bytes(1000)
    with pytest.raises(OSError, match="more than 999 bytes"):
        read_regular(tmp_path / "file", most_bytes=999)


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("named", [True, False])
def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, durable, named):
    """What cannot be put in place leaves the old file, and nothing beside it."""
    path, aside = tmp_path / "file", tmp_path / "aside" if named else None
    write_whole(path, b"old", aside, durable=durable)
    (tmp_path / "taken").mkdir()

    with pytest.raises(OSError):
        write_whole(tmp_path / "taken", b"new", aside, durable=durable)
    write_whole(path, b"new", aside, durable=durable)

    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "taken"]


def test_nothing_is_written_through_a_link(tmp_path):
    """One that somebody planted under either name is replaced, its target untouched."""
    victim, path, aside = (tmp_path / name for name in ("victim", "file", "aside"))
    victim.write_bytes(b"mine")
    victim.chmod(0o644)
    path.symlink_to(victim)
    aside.symlink_to(victim)

    write_whole(path, b"new", aside)

    assert (victim.read_bytes(), path.read_bytes()) == (b"mine", b"new")
    assert stat.S_IMODE(victim.stat().st_mode) == 0o644
    assert not path.is_symlink()

"""A file is read, or the error says which, where, and what to do."""

import os

import pytest

from lectr_lab.config.text_files import read_text
from lectr_lab.core.errors import ConfigError


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        ("a = 'é'\n".encode(), "a = 'é'\n"),
        (b"\xef\xbb\xbfa = 1", "a = 1"),
        (b"a\r\nb\rc\n", "a\nb\nc\n"),
    ],
)
def test_a_text_is_read_as_any_editor_leaves_it(tmp_path, data, text):
    """With or without a mark at its beginning, whatever ends its lines."""
    file = tmp_path / "x.toml"
    file.write_bytes(data)

    assert read_text(file) == text


def test_what_is_not_utf8_is_found_by_its_line(tmp_path):
    """With what to do."""
    file = tmp_path / "x.toml"
    file.write_bytes(b"a = 1\nb = '\xe9'\n")

    with pytest.raises(
        ConfigError, match=r"x\.toml .*: line 2 is .*Save it as UTF-8\."
    ):
        read_text(file)


def test_a_file_that_is_not_there_says_what_to_do(tmp_path):
    """And a folder is none."""
    with pytest.raises(ConfigError, match=r"There is no .*x\.toml\. Write one\."):
        read_text(tmp_path / "x.toml", "Write one.")
    with pytest.raises(ConfigError, match="cannot be read: it is a folder"):
        read_text(tmp_path)


def test_what_is_no_file_is_not_waited_for(tmp_path):
    """Nor read to an end that it has not."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")

    for name, kind in (("pipe", "a pipe"), ("link", "a device")):
        with pytest.raises(ConfigError, match=f"{name} cannot be read: it is {kind}"):
            read_text(tmp_path / name)


def test_what_is_too_large_is_not_read(tmp_path):
    """A file with nothing in it may be of any size."""
    with (tmp_path / "x.toml").open("wb") as file:
        file.truncate(300_000_000)

    with pytest.raises(ConfigError, match="more than 268,435,456 bytes"):
        read_text(tmp_path / "x.toml")

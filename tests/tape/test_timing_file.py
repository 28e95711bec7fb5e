"""The side file."""

import pytest

from lectr_lab.core.errors import CassetteError
from lectr_lab.tape.timing_file import Side, Timing, encode_side, read_side, side_path


def test_it_comes_back_as_it_was_written(tmp_path):
    """Every field, for several interactions, a line each."""
    timings = (
        Timing(started_ms=0, head_ms=1.5, chunks=((3, 2.25),), feature="f", task="t"),
        Timing(started_ms=7, head_ms=1, ended="client_left", decompressed=True),
    )
    path = tmp_path / "chat.yaml"

    side_path(path).write_bytes(encode_side(Side(interactions=timings)))

    assert read_side(path) == Side(interactions=timings)
    assert len(side_path(path).read_text().splitlines()) == 4


def test_none_is_no_error(tmp_path):
    """A cassette recorded by vcrpy has no side file."""
    assert read_side(tmp_path / "chat.yaml") is None


def test_one_that_cannot_be_read_is_an_error(tmp_path):
    """The file and the reason are named."""
    side_path(tmp_path / "chat.yaml").mkdir()

    with pytest.raises(CassetteError, match=r"chat\.side\.json cannot be read"):
        read_side(tmp_path / "chat.yaml")

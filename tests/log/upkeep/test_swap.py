"""Swapping: both at once, or nothing."""

import pytest

from lectr_lab.log.upkeep.swap import exchange


def test_two_folders_change_places(tmp_path):
    """With what is in them."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()

    exchange(tmp_path / "a", tmp_path / "b")

    assert [p.name for p in (tmp_path / "a").iterdir()] == ["b"]
    assert [p.name for p in (tmp_path / "b").iterdir()] == ["a"]


def test_what_is_not_there_is_not_swapped(tmp_path):
    """The other one stays where it is."""
    (tmp_path / "a").mkdir()

    with pytest.raises(FileNotFoundError):
        exchange(tmp_path / "a", tmp_path / "b")

    assert (tmp_path / "a").is_dir()

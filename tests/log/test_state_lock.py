"""Whoever changes a file of the state does so alone."""

import threading

import pytest

from lectr_lab.core.errors import LogError
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.state_lock import state_locked


def test_who_comes_second_waits(lab):
    """For the same name; another one is free."""
    seen: list[str] = []

    def second() -> None:
        with state_locked(lab, "keys"):
            seen.append("second")

    thread = threading.Thread(target=second)
    with state_locked(lab, "keys"), state_locked(lab, "odd"):
        thread.start()
        thread.join(0.2)
        seen.append("first")
    thread.join(20)

    assert seen == ["first", "second"]


def test_where_it_cannot_be_made_that_is_said(lab, tmp_path):
    """A link in its place is followed by nobody."""
    (lab.state / "keys.lock").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(LogError, match="state cannot be written"):
        state_locked(lab, "keys").__enter__()
    with pytest.raises(LogError), state_locked(LabFolder(tmp_path / "none"), "keys"):
        pass
    assert not (tmp_path / "elsewhere").exists()

"""One writer at a time."""

import threading

import pytest

import lectr_lab.tape.locked as module
from lectr_lab.core.errors import CassetteError
from lectr_lab.tape.locked import locked


def test_who_writes_is_alone(tmp_path):
    """Threads as well as processes; the folder is made."""
    cassette, inside, most = tmp_path / "new" / "a.yaml", [], []

    def write():
        with locked(cassette, alone=True):
            inside.append(1)
            most.append(len(inside))
            threading.Event().wait(0.02)
            inside.pop()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == [1, 1, 1, 1]


def test_readers_share_and_the_wait_ends(tmp_path, monkeypatch):
    """Who writes waits for them, and says so in the end."""
    monkeypatch.setattr(module, "_TRIES", 2)
    cassette = tmp_path / "a.yaml"
    with (
        locked(cassette, alone=False),
        locked(cassette, alone=False),
        pytest.raises(CassetteError, match="another process"),
        locked(cassette, alone=True),
    ):
        pass

    with locked(cassette, alone=True):
        pass

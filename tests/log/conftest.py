"""A lab folder, events to put in it, and a disk that can be full or read-only."""

import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lectr_lab.core.event import Event
from lectr_lab.core.ids import event_id
from lectr_lab.log.folder import LabFolder

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MakeEvents = Callable[..., list[Event]]


@pytest.fixture
def lab(tmp_path: Path) -> LabFolder:
    """A new lab folder."""
    return LabFolder.create(tmp_path / "lab")


@pytest.fixture
def make_events() -> MakeEvents:
    """`make_events(n, day=0)`: events with ids that no other call gives."""
    made = 0

    def make(count: int, day: int = 0) -> list[Event]:
        nonlocal made
        made += count
        return [_event(made - count + i, day) for i in range(count)]

    return make


def _event(number: int, day: int) -> Event:
    at = NOON + timedelta(days=day, milliseconds=number)
    return Event(
        event_id=event_id(int(at.timestamp() * 1000), number << 40 | number),
        started_at=at,
        org="acme",
        feature="chat",
        path="/v1/chat/completions",
        operation="chat",
        provider="openai",
        model_requested="gpt-4o",
        outcome="ok",
        status=200,
        total_ms=number / 8,
        input_tokens=number,
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KB; only root may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    _mount("-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder))
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def set_read_only(small_disk: Path) -> Callable[[bool], None]:
    """Makes the small disk read-only, or writable again."""

    def change(read_only: bool) -> None:
        _mount("-o", f"remount,{'ro' if read_only else 'rw'}", str(small_disk))

    return change


def _mount(*arguments: str) -> None:
    done = subprocess.run(
        ["mount", *arguments], check=False, capture_output=True, text=True
    )
    if done.returncode:
        needs = "root" if os.geteuid() else "a container that allows it"
        pytest.skip(f"mounting a small disk needs {needs}: {done.stderr.strip()}")

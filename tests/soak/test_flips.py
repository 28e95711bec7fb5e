"""Flipped bits: a reader that lies about them is found out."""

import random
import warnings
from datetime import UTC, datetime

import pytest

from lectr_lab.core.event import Event
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.journal import JournalWriter
from lectr_lab.log.scan import scan
from soak import flips

FLIPS = 12


@pytest.fixture
def copies(tmp_path):
    """Segments of batches of three."""
    lab = LabFolder.create(tmp_path / "lab")
    writer = JournalWriter(lab)
    for batch in range(20):
        writer.append([event(batch * 3 + i) for i in range(3)])
    writer.close()
    return lab.segments()


class Panic(BaseException):
    """As polars raises them."""


def event(n):
    """Any."""
    return Event(
        event_id=n.to_bytes(16),
        started_at=datetime.now(UTC),
        org="soak",
        path="/v1/chat/completions",
        operation="chat",
        outcome="ok",
        total_ms=1.0,
    )


def judged(copies, folder):
    """Names of the laws that break."""
    found = flips.journal_flips(copies, folder, FLIPS, random.Random(1))
    return [figure.what for figure in found if not figure.holds]


def test_a_flipped_bit_costs_a_batch_and_is_said(copies, tmp_path):
    """As the product is."""
    assert judged(copies, tmp_path / "damaged") == []


def test_a_silent_reader_breaks_a_law(copies, tmp_path, monkeypatch):
    """It hides rows and says nothing, before and after they are sealed."""

    def silent(folder):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return scan(folder)

    monkeypatch.setattr(flips, "scan", silent)

    broken = judged(copies, tmp_path / "damaged")

    assert broken == [
        "of these silent, of other values, or raised",
        "rows of damaged segments changed, or not spoken of, by sealing",
    ]


def test_a_reader_that_gives_up_breaks_laws(copies, tmp_path, monkeypatch):
    """It shows nothing of a damaged file, and says so."""

    def all_or_nothing(folder):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            rows = scan(folder)
        for one in caught:
            warnings.warn(one.message, stacklevel=1)
        return rows.head(0) if caught else rows

    monkeypatch.setattr(flips, "scan", all_or_nothing)

    assert "rows hidden by one flip" in judged(copies, tmp_path / "damaged")


def test_a_reader_that_raises_breaks_a_law(copies, tmp_path, monkeypatch):
    """A panic of polars is no Exception, and is one of these."""
    calls = iter([scan])

    def broken_later(folder):
        whole = next(calls, None)
        if whole is None:
            raise Panic
        return whole(folder)

    lab = LabFolder.create(tmp_path / "damaged")
    for copy in copies:
        copy.rename(lab.journal / copy.name)
    monkeypatch.setattr(flips, "scan", broken_later)
    before = flips._view(lab)

    assert flips._judged(before, lab) == ("raised Panic", 60)

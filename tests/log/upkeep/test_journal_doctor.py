"""The journal's ailments: what is whole is brought back, what is lost is said."""

from pathlib import Path

import pytest

from lectr_lab.core.event import Event
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.frames import Unread
from lectr_lab.log.journal import JournalWriter
from lectr_lab.log.losses import noted_losses
from lectr_lab.log.scan import scan
from lectr_lab.log.schema import frame
from lectr_lab.log.seal import put_part, seal
from lectr_lab.log.upkeep.doctor import examine, mend

# Whoever scans a lab with losses is warned of them; here they are the doctor's.
pytestmark = pytest.mark.filterwarnings("ignore::lectr_lab.log.scan.LogWarning")


def write_batches(lab: LabFolder, *batches: list[Event]) -> JournalWriter:
    writer = JournalWriter(lab)
    for batch in batches:
        writer.append(batch)
    return writer


def damage(path: Path, at: int = 100) -> None:
    """One bit, in the first batch."""
    data = bytearray(path.read_bytes())
    data[at] ^= 4
    path.write_bytes(data)


def tokens(lab: LabFolder) -> list[int]:
    return sorted(scan(lab.root).collect()["input_tokens"])


@pytest.mark.parametrize("at", [2, 100, 400])
@pytest.mark.parametrize("merged", [False, True])
def test_whole_batches_of_what_was_set_aside_before_are_brought_back(
    lab, make_events, at, merged
):
    """From a time when reading ended at the first damage, and its part held no more;
    also where that part was merged into another since."""
    batches = [make_events(2), make_events(1), make_events(3)]
    write_batches(lab, *batches).close()
    [segment] = lab.segments()
    damage(segment, at)
    kept = batches[0] if at == 400 else []
    part = lab.part(segment)
    if kept:
        put_part(
            lab, part.with_name(f"{'b' * 32}.parquet") if merged else part, frame(kept)
        )
    aside = segment.rename(segment.with_suffix(".bad"))
    lost = {2: [], 100: [0, 1], 400: [2]}[at]
    there = [n for n in range(6) if n not in lost]

    [finding] = examine(lab)
    assert finding.path == aside
    assert f"{len(there) - len(kept)} whole events" in finding.what
    assert "Delete" not in finding.how
    assert mend(lab, [finding]) == [finding]

    assert tokens(lab) == there
    assert noted_losses(lab).unread.batches == bool(lost)
    after = examine(lab)
    assert [f.kind for f in after if f.path == aside] == ["set aside"]
    assert "The log has the rest." in after[0].what
    assert mend(lab, after) == []
    assert tokens(lab) == there


def test_what_this_version_set_aside_lacks_nothing_whole(lab, make_events):
    """So it may be deleted; the loss stays noted, and is said."""
    write_batches(lab, make_events(2), make_events(1)).close()
    damage(lab.segments()[0])
    seal(lab)

    found = examine(lab)

    assert [f.kind for f in found] == ["set aside", "losses"]
    assert "1 batch" in found[1].what and "state/unread.*" in found[1].how
    found[0].path.unlink()
    assert [f.kind for f in examine(lab)] == ["losses"]
    assert noted_losses(lab).unread.events == 2


def test_damage_is_found_while_the_writer_lives(lab, make_events):
    """It is not the doctor's to mend; what is only unfinished is no ailment."""
    writer = write_batches(lab, make_events(2), make_events(1))
    [segment] = lab.segments()
    with segment.open("ab") as file:
        file.write(b"half")
    assert examine(lab) == []

    damage(segment)
    found = examine(lab)

    assert [(f.kind, f.path) for f in found] == [("damaged", segment)]
    assert found[0].what.startswith("1 batch (")
    assert mend(lab, found) == []
    writer.close()
    [waits] = examine(lab)
    assert "1 events wait" in waits.what and "2 batches (" in waits.what


def test_what_a_newer_version_wrote_is_not_to_be_deleted(lab, make_events):
    """It cannot be read here, and may be whole."""
    write_batches(lab, make_events(2)).close()
    [segment] = lab.segments()
    data = bytearray(segment.read_bytes())
    data[8:10] = b"\7\7"
    segment.write_bytes(data)
    segment.rename(segment.with_suffix(".bad"))

    [finding] = examine(lab)

    assert "newer lectr_lab" in finding.what
    assert finding.how == "Keep it until it can be read."
    assert noted_losses(lab).unread == Unread()

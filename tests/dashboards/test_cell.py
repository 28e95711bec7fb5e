"""The door for cells."""

from datetime import date, datetime

import pytest

import lectr_lab as lectr
from lectr_lab.core.errors import LabError
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.frames import Unread
from lectr_lab.log.journal import JournalWriter
from lectr_lab.log.losses import note_unread, write_losses

pytestmark = pytest.mark.filterwarnings("ignore::lectr_lab.log.scan.LogWarning")


@pytest.fixture
def lab(tmp_path, event):
    """A lab folder with one request, which has lost three."""
    folder = LabFolder.create(tmp_path / "lab")
    JournalWriter(folder).append([event(0, {})])
    write_losses(folder, "a1", 3)
    note_unread(folder, folder.segment(date(2026, 11, 24), "a" * 32), Unread(1, 90, 2))
    return folder.root


def test_a_frame_is_shown_in_a_frame_of_its_own(log, tmp_path):
    """Escaped into an attribute; written, it is the same page."""
    shown = lectr.dashboard(log({"feature": '"><script>x'}), title="Ours")

    assert shown._repr_html_().startswith('<iframe srcdoc="&lt;!doctype html')
    assert shown._repr_html_().count("<script") == 0
    assert "report.html" in repr(shown)
    assert shown.write(tmp_path / "x.html").read_text("utf-8") == shown.html


def test_a_folder_or_a_proxy_is_scanned(lab):
    """And what it lost is said."""

    class Proxy:
        def __init__(self):
            self.lab = lab

    for door in (lab, str(lab), Proxy()):
        page = lectr.dashboard(door).html
        assert '"dropped":3' in page
        assert '"unread":"1 batch (90 bytes, at least 2 events) could' in page


def test_a_frame_cannot_be_followed(log):
    """The error says what can."""
    with pytest.raises(LabError, match=r"dashboard\(proxy, live=True\)"):
        lectr.dashboard(log({}), live=True)


def test_a_cell_that_runs_again_ends_the_dashboard_before(lab):
    """One reader per folder, however often the cell runs."""
    first = lectr.dashboard(lab, live=True)
    second = lectr.dashboard(lab, live=True)

    assert (first.running, second.running) == (False, True)
    second.stop()


def test_what_happened_and_what_others_found_out_is_on_the_page(log):
    """A line with a word, a sentence below, and what is given beside."""
    shown = lectr.dashboard(
        log({}),
        notes=[(datetime(2026, 11, 2, 9), "deploy"), "Made up."],
        beside={"forecast": {"sentence": "About $3."}},
    )

    assert '"text":"deploy"' in shown.html and "<p>Made up.</p>" in shown.html
    assert "About $3." in shown.html

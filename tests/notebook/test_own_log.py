"""Whose log it is."""

import tempfile
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.analysis.scan import DEMO_MARK, MADE_UP
from lectr_lab.demo.made_up import events
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.journal import JournalWriter
from lectr_lab.log.seal import seal
from lectr_lab.notebook.own_log import has_own


@settings(max_examples=25)
@given(real=st.lists(st.booleans(), max_size=6), sealed=st.integers(0, 6))
def test_a_log_is_ones_own_as_soon_as_one_request_is_real(real, sealed):
    """However many made-up ones stand beside it, sealed or not yet."""
    made = [
        msgspec.structs.replace(one, org="me" if mine else MADE_UP)
        for one, mine in zip(events(requests=50), real, strict=False)
    ]
    with tempfile.TemporaryDirectory() as folder:
        lab = LabFolder.create(Path(folder) / "lab")
        for some in (made[:sealed], made[sealed:]):
            seal(lab)
            writer = JournalWriter(lab)
            writer.append(some)
            writer.close()

        assert has_own(lab.root) is any(real)
        (lab.root / DEMO_MARK).touch()
        assert not has_own(lab.root)

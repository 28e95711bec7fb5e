"""A lab."""

from pathlib import Path

import pytest

from lectr_lab.log.folder import LabFolder


@pytest.fixture
def lab(tmp_path: Path) -> LabFolder:
    """A new lab folder."""
    return LabFolder.create(tmp_path / "lab")

"""A lab folder, opened."""

import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.analysis.scan import DEMO_MARK, MADE_UP, has_own, scan
from lectr_lab.core.errors import ConfigError, LogError
from lectr_lab.demo.made_up import events
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.journal import JournalWriter
from lectr_lab.log.schema import frame
from lectr_lab.log.seal import seal

MINE = '[[price]]\nmodel = "*"\ninput_usd_per_mtok = 0\noutput_usd_per_mtok = 0\n'


@pytest.fixture
def lab(tmp_path, event):
    part = tmp_path / "log" / "date=2026-11-02" / "part.parquet"
    part.parent.mkdir(parents=True)
    frame([event(), event(model_actual="x")]).write_parquet(part)
    return tmp_path


def test_a_lab_folder_is_read_with_costs(lab):
    """Two columns more than the log has."""
    found = scan(lab).collect()

    assert sorted(found["cost_usd"], key=str) == [0.00045, None]


def test_the_price_file_of_the_folder_counts(lab):
    """`prices.toml` is used where there is one."""
    (lab / "prices.toml").write_text(MINE)

    assert scan(lab).collect()["price_source"].to_list() == ["user", "user"]


def test_another_price_file_can_be_named(lab, tmp_path):
    """It stands in for the folder's own; an empty list is none at all."""
    (lab / "prices.toml").write_text(MINE)
    other = tmp_path / "other.toml"
    other.touch()

    for prices in (other, str(other), ()):
        assert "user" not in scan(lab, prices).collect()["price_source"].to_list()


def test_what_is_not_there_is_said(lab, tmp_path):
    """No such folder, no such price file."""
    with pytest.raises(LogError):
        scan(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match=r"nowhere\.toml"):
        scan(lab, tmp_path / "nowhere.toml")


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

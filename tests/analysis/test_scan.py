"""A lab folder, opened."""

import pytest

from lectr_lab.analysis.scan import scan
from lectr_lab.core.errors import ConfigError, LogError
from lectr_lab.log.schema import frame

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

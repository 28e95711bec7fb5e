"""The log beside whatever else there is: exports, folders, other logs."""

import json

import pytest

from lectr_lab.analysis.reconcile import reconcile
from lectr_lab.analysis.scan import demo_log, scan
from lectr_lab.core.errors import ConfigError, LabError
from lectr_lab.demo.made_up import events
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.scan import scan as scan_log
from lectr_lab.log.schema import frame

RESULT = {"model": "gpt-4o-mini", "input_tokens": 10, "output_tokens": 1}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Some of the made-up traffic."""
    lab = LabFolder.create(tmp_path_factory.mktemp("r") / "lab")
    frame(events(requests=300)).write_parquet(lab.log / "one.parquet")
    return lab.root


@pytest.fixture
def exports(tmp_path):
    """Two days of usage, a file each, and what was charged for them."""
    folder = tmp_path / "exports"
    folder.mkdir()
    for n in range(2):
        bucket = {"start_time": 1793577600 + n * 86400, "results": [RESULT]}
        (folder / f"usage-{n}.json").write_text(json.dumps({"data": [bucket]}))
    amount = {"amount": {"value": 2}, "line_item": "gpt-4o-mini, input"}
    bucket = {"start_time": 1793577600, "results": [amount]}
    (tmp_path / "costs.json").write_text(json.dumps({"data": [bucket]}))
    return folder


def test_several_files_and_a_folder_of_them_are_one_export(lab, exports):
    """With their costs, too."""
    files = sorted(exports.iterdir())
    costs = exports.parent / "costs.json"

    apart = reconcile(scan(lab), files, costs=costs)
    folder = reconcile(scan(lab), exports, costs=[costs])
    together = reconcile(scan(lab), [exports, costs])

    assert apart.differences.equals(folder.differences)
    assert apart.differences.equals(together.differences)
    assert apart.differences["their_usd"].sum() == pytest.approx(2, abs=1e-4)


def test_a_lab_a_frame_and_an_import_s_rows_are_logs(lab):
    """What has no costs yet is priced."""
    for other in (lab, str(lab), scan(lab), scan_log(lab)):
        found = reconcile(scan(lab), other)
        assert found.differences.is_empty()
        assert found.calls[0] > 0


def test_a_log_beside_another_says_what_is_missing(lab):
    """A lab of fewer calls than the made-up log."""
    found = reconcile(demo_log(), scan(lab).head(200))

    assert found.in_short().startswith("The log has ")
    assert {"only in the log"} <= {*found.frame()["cause"]}


def test_what_is_in_another_s_place_is_said(lab, exports, tmp_path):
    """Costs before usage, usage as costs, a provider's beside another's."""
    usage, costs = exports / "usage-0.json", tmp_path / "costs.json"
    with pytest.raises(ConfigError, match="as costs"):
        reconcile(scan(lab), costs, costs=costs)
    with pytest.raises(ConfigError, match="not a cost export of openai"):
        reconcile(scan(lab), usage, costs=usage)
    with pytest.raises(LabError, match="nowhere"):
        reconcile(scan(lab), tmp_path / "nowhere" / "lab")


def test_costs_alone_are_compared(lab, tmp_path, exports):
    """And it is said what they cannot tell."""
    found = reconcile(scan(lab), tmp_path / "costs.json")

    assert "not what was counted" in found.notes[-1]
    assert found.differences["their_usd"].sum() == pytest.approx(2)


def test_notes_say_what_was_read_and_what_is_open(lab, exports):
    """The file by its name, and that batches are not told apart."""
    notes = reconcile(scan(lab), exports / "usage-0.json").notes

    assert notes[0].startswith("usage-0.json: read as OpenAI's usage of completions")
    assert any("batches" in note for note in notes)

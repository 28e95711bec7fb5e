"""`lectr-lab reconcile`, on a lab folder and an export."""

import json

import polars as pl
import pytest

from lectr_lab.cli.reconcile import reconcile
from lectr_lab.core.errors import LabError
from lectr_lab.demo.made_up import events
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.schema import frame


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Some of the made-up traffic."""
    lab = LabFolder.create(tmp_path_factory.mktemp("r") / "lab")
    frame(events(requests=300)).write_parquet(lab.log / "one.parquet")
    return lab.root


@pytest.fixture
def export(lab, tmp_path):
    """What OpenAI would say of it, with ten requests more on the first day."""
    rows = pl.read_parquet(lab / "log/one.parquet").filter(
        pl.col("provider") == "openai", pl.col("token_source") == "provider"
    )
    sums = rows.group_by(pl.col("started_at").dt.date(), "model_actual").agg(
        pl.len(), pl.col("input_tokens", "output_tokens").sum()
    )
    lines = [
        f"{day},{model},{n},{sent},{got}"
        for day, model, n, sent, got in sums.sort("started_at").iter_rows()
    ]
    lines.append(f"{lines[0].split(',')[0]},\x1b[31mgpt-4o,10,1000,1000")
    file = tmp_path / "usage.csv"
    head = "start_time,model,num_model_requests,input_tokens,output_tokens"
    file.write_text("\n".join([head, *lines]))
    return file


def test_the_table_says_what_is_missing_and_for_how_much(lab, export, capsys):
    """A sentence with the sum, and no escape of a client's."""
    reconcile(export, lab=lab)

    shown = capsys.readouterr().out
    assert "The difference is" in shown and "requests missing" in shown
    assert "\x1b" not in shown


def test_one_page_of_several_is_said(lab, tmp_path, capsys):
    """On stderr: what is on the others would look as if it were not counted."""
    result = {"model": "gpt-x", "input_tokens": 1, "output_tokens": 1}
    bucket = {"start_time": 1793577600, "results": [result]}
    file = tmp_path / "page.json"
    file.write_text(json.dumps({"data": [bucket], "has_more": True}))

    reconcile(file, lab=lab)

    assert "not the last page" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["json", "csv"])
def test_other_programs_get_every_row(lab, export, capsys, form):
    """With the names of the view."""
    reconcile(export, lab=lab, format=form)

    shown = capsys.readouterr().out
    assert "rows_missing" in shown and "\x1b" not in shown
    if form == "json":
        assert any(row["rows_missing"] == 10 for row in json.loads(shown))


def test_a_cost_export_in_the_wrong_place_is_said(lab, export, tmp_path):
    """In either place."""
    costs = tmp_path / "costs.json"
    bucket = {
        "start_time": 1793577600,
        "results": [{"amount": {"value": 1}, "line_item": "gpt-4o, input"}],
    }
    costs.write_text(json.dumps({"data": [bucket]}))

    with pytest.raises(LabError, match="as costs"):
        reconcile(costs, lab=lab, costs=[costs])
    with pytest.raises(LabError, match="not a cost export"):
        reconcile(export, lab=lab, costs=[export])
    reconcile(export, lab=lab, costs=[costs])
    reconcile(costs, lab=lab)


def test_another_lab_is_compared_call_by_call(lab, capsys):
    """In each form; nothing that no call has is a column."""
    reconcile(lab, lab=lab)
    assert "the same ones" in capsys.readouterr().out

    reconcile(lab, lab=lab, format="json")
    assert json.loads(capsys.readouterr().out) == []


def test_nothing_to_compare_with_and_a_time_that_is_none_are_said(lab):
    """In words."""
    with pytest.raises(LabError, match="Name an export"):
        reconcile(lab=lab)
    with pytest.raises(LabError, match="--within-s"):
        reconcile(lab, lab=lab, within_s=float("nan"))


def test_what_can_be_read_is_listed_with_how_its_form_is_known(lab, capsys):
    """A real file, or documentation, and when."""
    reconcile(known=True)

    said = capsys.readouterr().out
    assert "Azure's cost export\n    columns from" in said and "Guardian" in said

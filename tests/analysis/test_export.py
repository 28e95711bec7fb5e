"""A lab's log as spans: every row, nothing but its columns, and in bounded memory."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from lectr_lab.analysis.export import export_log
from lectr_lab.core.errors import LabError, LogError
from lectr_lab.demo.made_up import events
from lectr_lab.log.exporters.otel_names import row_of
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.importers.importing import import_log
from lectr_lab.log.scan import scan
from lectr_lab.log.schema import frame, polars_schema


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some of the made-up traffic, of many days."""
    lab = LabFolder.create(tmp_path_factory.mktemp("e") / "lab")
    frame(events(requests=700)).write_parquet(lab.log / "one.parquet")
    return lab.root


def rows_in(files: tuple[Path, ...]) -> pl.DataFrame:
    """The rows that spans say that they were."""
    found = []
    for line in (line for f in files for line in f.read_text().splitlines()):
        [resource] = json.loads(line)["resourceSpans"]
        [scope] = resource["scopeSpans"]
        assert scope["scope"]["name"] == "lectr_lab"
        for span in scope["spans"]:
            attributes = {a["key"]: _value(a["value"]) for a in span["attributes"]}
            started = int(span["startTimeUnixNano"]) // 1000
            found.append({**row_of(attributes), "started_at": started})
    names = polars_schema()
    return pl.DataFrame(
        {name: [row.get(name) for row in found] for name in names},
        schema={**names, "started_at": pl.Int64},
    ).cast({"started_at": names["started_at"]})


def _value(value: dict[str, Any]) -> Any:
    [(kind, said)] = value.items()
    if kind == "arrayValue":
        return [_value(one) for one in said["values"]]
    return int(said) if kind == "intValue" else said


def test_the_spans_say_every_row_of_the_log(lab, tmp_path):
    """Each column as it was; a file a day."""
    done = export_log(lab, tmp_path)

    log = scan(lab).collect().sort("event_id")
    assert rows_in(done.files).sort("event_id").equals(log)
    days = log["started_at"].dt.date().unique()
    assert {f.name[6:16] for f in done.files} == {str(day) for day in days}


def test_only_what_is_asked_for_is_written(lab, tmp_path):
    """By time and by name, as reports are."""
    log = scan(lab).collect()
    day = log["started_at"].dt.date().min()
    of_day = log.filter(pl.col("started_at").dt.date() == day)

    one = export_log(lab, tmp_path / "day", since=str(day), until=str(day))
    none = export_log(lab, tmp_path / "none", feature="nobody's")

    assert (one.spans, len(one.files)) == (of_day.height, 1)
    assert none.spans == 0 and list((tmp_path / "none").iterdir()) == []


def test_progress_counts_to_the_end(lab, tmp_path):
    """Of as many rows as there are."""
    told: list[tuple[int, int]] = []

    export_log(lab, tmp_path, on_rows=lambda done, total: told.append((done, total)))

    assert told[-1] == (rows := scan(lab).collect().height, rows)


def test_a_folder_that_is_none_and_a_time_that_is_none_are_said(lab, tmp_path):
    """In words."""
    with pytest.raises(LogError, match="no folder"):
        export_log(tmp_path / "nowhere", tmp_path)
    with pytest.raises(LabError, match="not a time"):
        export_log(lab, tmp_path, since="soon")


ODD = {
    "feature": "a feature of more than a hundred letters, " * 4 + "🙂 \x1b[31m",
    "path": "/v1/chat/completions?x=1",
    "model_requested": "Dear John",
    "provider": "x_ai",
    "error_type": "",
    "session": "s 1\n",
    "user": "0" * 32,
    "finish_reason": "finished, as it were",
    "ttft_ms": 1 / 3,
    "total_ms": 0.1 + 0.2,
    "temperature": 1e-300,
    "cost_stated_usd": 1e22,
    "input_tokens": 2**53,
    "kind": "shadow",
    "shadow_of": bytes(range(16)),
    "source": "table",
    "source_id": "row 1",
    "operation": "responses",
    "response_format": "json_object",
    "provider_unknown": False,
}


def test_spans_that_are_imported_are_the_same_log(lab, tmp_path):
    """Every row and column, odd ones too, and whose they were; again, nothing is new."""
    odd = [{**row, **ODD} for row in scan(lab).head(1).collect().to_dicts()]
    odd[0]["event_id"] = bytes(16)
    whole = LabFolder.create(tmp_path / "whole")
    log = pl.concat([scan(lab).collect(), pl.DataFrame(odd, polars_schema())])
    log.write_parquet(whole.log / "one.parquet")

    spans = tmp_path / "spans"
    export_log(whole.root, spans)
    other = LabFolder.create(tmp_path / "other")
    first = import_log(spans, other, kind="otel", org="somebody-else")
    back = scan(other.root).collect()
    again = import_log(spans, other, kind="otel", org="somebody-else")

    assert_frame_equal(back.sort("event_id"), log.sort("event_id"))
    assert (first.added, again.added, again.replaced) == (log.height, 0, 0)

"""The schema in polars' words: one column per field, whatever the values are."""

import io
import json
import subprocess
import sys
from pathlib import Path

import msgspec
import polars as pl

from lectr_lab.core.event import SCHEMA_VERSION, Event, columns
from lectr_lab.log.importers.fields import Choices
from lectr_lab.log.importers.importing import import_log
from lectr_lab.log.scan import scan
from lectr_lab.log.schema import (
    METADATA_KEY,
    columns_markdown,
    file_metadata,
    frame,
    polars_schema,
)


def test_a_frame_holds_the_events_as_they_are(make_events):
    """Every field of every event, in order, under its name."""
    events = make_events(5)

    rows = frame(events)

    assert rows.schema == polars_schema()
    assert rows.rows() == [msgspec.structs.astuple(event) for event in events]


def test_no_events_are_a_frame_with_every_column():
    """An empty log has the schema of a full one."""
    rows = frame([])

    assert rows.height == 0
    assert rows.schema == polars_schema()
    assert tuple(rows.columns) == Event.__struct_fields__


def test_a_value_that_does_not_fit_is_null(make_events):
    """And the row, with all its other values, stays."""
    odd, plain = make_events(2)
    odd = msgspec.structs.replace(odd, input_tokens=2**64 - 1, status="no number")
    naive = msgspec.structs.replace(
        plain, started_at=plain.started_at.replace(tzinfo=None)
    )

    rows = frame([odd, naive])

    assert rows["input_tokens"].to_list() == [None, plain.input_tokens]
    assert rows["status"].to_list() == [None, 200]
    assert rows["started_at"].to_list() == [odd.started_at, None]


def test_a_part_explains_itself(make_events):
    """Version, and unit, meaning and OpenTelemetry name of each column, in the file."""
    file = io.BytesIO()
    frame(make_events(1)).write_parquet(file, metadata=file_metadata())

    file.seek(0)
    said = json.loads(pl.read_parquet_metadata(file)[METADATA_KEY])

    assert said["schema_version"] == SCHEMA_VERSION
    assert list(said["columns"]) == [c.name for c in columns()]
    assert said["columns"]["total_ms"]["unit"] == "ms"
    assert said["columns"]["total_ms"]["null"] == "imported"


def test_the_documentation_has_a_line_for_each_column():
    """Generated from the schema, so it cannot lag behind it."""
    lines = columns_markdown().splitlines()
    head, rule, *rows = (line for line in lines if line.startswith("|"))

    assert len(rows) == len(columns())
    assert {line.count("|") for line in (head, rule, *rows)} == {7}
    assert rows[2].startswith("| `org` | String |  | no | whose key it was |")
    assert (
        "| `outcome` | String |  | imported rows | how the request ended |"
        in rows[Event.__struct_fields__.index("outcome")]
    )


def test_the_document_in_the_repository_is_what_the_code_says():
    """`python -m lectr_lab.log.schema > data/log_columns.md` writes it again."""
    file = Path(__file__).parents[2] / "data" / "log_columns.md"
    command = [sys.executable, "-m", "lectr_lab.log.schema"]
    said = subprocess.run(command, check=True, capture_output=True, text=True)

    assert file.read_text("utf-8") == said.stdout == columns_markdown()


def test_an_import_leaves_null_what_the_schema_says_it_may(lab, tmp_path):
    """A table with nothing but a time: the columns that are never null have a value,
    where it is from, and that it is taken for answered."""
    table = tmp_path / "calls.csv"
    table.write_text("t\n1\n")
    choices = Choices(columns={"started_at": "t"})
    import_log(table, lab, kind="table", org="acme", choices=choices)

    [row] = scan(lab.root).collect().to_dicts()
    filled = {name for name, value in row.items() if value is not None}
    never = {c.name for c in columns() if c.null == "never"}
    assert filled == never | {"outcome", "source", "source_id"}

"""The schema in polars' words: one column per field, whatever the values are."""

import io
import json

import msgspec
import polars as pl

from lectr_lab.core.event import SCHEMA_VERSION, Event, columns
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


def test_the_documentation_has_a_line_for_each_column():
    """Generated from the schema, so it cannot lag behind it."""
    head, rule, *rows = columns_markdown().splitlines()

    assert len(rows) == len(columns())
    assert {line.count("|") for line in (head, rule, *rows)} == {7}
    assert rows[2].startswith("| `org` | String |  | no | whose key it was |")

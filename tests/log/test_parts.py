"""Parts of every version read as parts of this one."""

import json
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from lectr_lab.core.event import SCHEMA_VERSION
from lectr_lab.log.parts import (
    LogSchema,
    current_schema,
    damage,
    part_rows,
    part_version,
)
from lectr_lab.log.schema import METADATA_KEY, file_metadata, frame, polars_schema


@pytest.fixture
def part(tmp_path: Path, make_events) -> Path:
    """A part of this version with three rows."""
    path = tmp_path / "a.parquet"
    frame(make_events(3)).write_parquet(path, metadata=file_metadata())
    return path


def next_version() -> LogSchema:
    """An invented one: `org` is called `team`, `total_ms` is in seconds, `new` is new."""
    columns = {**polars_schema(), "team": pl.String(), "total_s": pl.Float64()}
    del columns["org"], columns["total_ms"]

    def from_1(rows: pl.LazyFrame) -> pl.LazyFrame:
        return rows.rename({"org": "team"}).with_columns(
            total_s=pl.col("total_ms") / 1000
        )

    return LogSchema(
        version=SCHEMA_VERSION + 1,
        columns=pl.Schema({**columns, "new": pl.Int64()}),
        migrations={SCHEMA_VERSION: from_1},
        metadata={METADATA_KEY: json.dumps({"schema_version": SCHEMA_VERSION + 1})},
    )


def test_a_part_says_its_version(part, tmp_path):
    """Or nothing."""
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "b.parquet")

    assert part_version(part) == SCHEMA_VERSION
    assert part_version(tmp_path / "b.parquet") is None


def test_an_older_part_is_migrated(part):
    """Renamed, in another unit, and with a column it never had."""
    old, new = pl.read_parquet(part), next_version()

    rows = part_rows(part, new).collect()

    assert damage(part, new) is None
    assert rows.schema == new.columns
    assert rows["team"].to_list() == old["org"].to_list()
    assert rows["total_s"].to_list() == [ms / 1000 for ms in old["total_ms"]]
    assert rows["new"].null_count() == rows.height


def test_a_part_of_this_version_is_as_it_is(part):
    """Nothing is done to it."""
    rows = part_rows(part, current_schema()).collect()

    assert_frame_equal(rows, pl.read_parquet(part))


def test_damage_says_why(part, tmp_path):
    """Not Parquet, not ours, or gone."""
    (tmp_path / "no.parquet").write_bytes(b"no")
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "b.parquet")
    schema = current_schema()

    assert damage(part, schema) is None
    assert damage(tmp_path / "no.parquet", schema)
    assert damage(tmp_path / "b.parquet", schema) == "it is not a part of this log"
    with pytest.raises(FileNotFoundError):
        damage(tmp_path / "gone.parquet", schema)

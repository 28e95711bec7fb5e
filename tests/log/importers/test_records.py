"""Records of flat files: some of their columns, whatever the file's form."""

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.errors import LogError
from lectr_lab.log.importers.records import (
    RowIds,
    as_object,
    known_records,
    missing_column,
    records_of,
)

ROWS = [{"a": "1", "b": "x"}, {"a": "2", "b": "y, z"}]


def csv(separator: str):
    def write(folder):
        path = folder / "a.csv"
        pl.DataFrame(ROWS).write_csv(path, separator=separator)
        return path

    return write


def parquet(folder):
    path = folder / "a.parquet"
    pl.DataFrame(ROWS).write_parquet(path)
    return path


def json_list(folder):
    path = folder / "a.json"
    path.write_text(json.dumps(ROWS))
    return path


def json_lines(folder):
    path = folder / "a.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in ROWS))
    return path


@pytest.mark.parametrize(
    "write",
    [csv(","), csv(";"), csv("\t"), csv("|"), parquet, json_list, json_lines],
    ids=["comma", "semicolon", "tab", "bar", "parquet", "list", "lines"],
)
def test_every_form_has_the_same_records(tmp_path, write):
    """And gives the columns that are asked for alone."""
    records = records_of(write(tmp_path))

    assert list(records.columns) == ["a", "b"]
    assert list(records.read(["a", "b"])) == ROWS
    assert list(records.read(["b"])) == [{"b": "x"}, {"b": "y, z"}]


def test_fields_within_others_have_paths(tmp_path):
    """In JSON and in structs of Parquet."""
    rows = [{"id": "1", "usage": {"input": 3, "more": {"deep": 4}}}]
    (tmp_path / "a.json").write_text(json.dumps(rows))
    pl.DataFrame(rows).write_parquet(tmp_path / "a.parquet")

    for name in ("a.json", "a.parquet"):
        records = records_of(tmp_path / name)
        assert "usage.more.deep" in records.columns
        [row] = records.read(["usage.input", "usage.more.deep"])
        assert row == {"usage.input": 3, "usage.more.deep": 4}


def test_known_names_are_found_in_any_spelling(tmp_path):
    """A record has them as they were asked for."""
    (tmp_path / "a.csv").write_text("startTime,Model Name,other\n1,m,x\n")

    _, rows = known_records(tmp_path / "a.csv", ["start_time", "model_name", "no"])

    assert list(rows) == [{"start_time": "1", "model_name": "m"}]


def test_what_is_no_table_says_so(tmp_path):
    """A folder, nothing, and lines of unlike length."""
    (tmp_path / "empty.csv").touch()
    (tmp_path / "ragged.csv").write_text("a,b\n1,2\n1,2,3,4\n")
    (tmp_path / "not.parquet").write_bytes(b"secret")

    with pytest.raises(LogError, match="is a folder"):
        records_of(tmp_path)
    with pytest.raises(LogError, match=r"empty\.csv is empty"):
        records_of(tmp_path / "empty.csv")
    with pytest.raises(LogError, match="number of fields"):
        list(records_of(tmp_path / "ragged.csv").read(["a"]))
    with pytest.raises(LogError, match="neither Parquet nor CSV"):
        records_of(tmp_path / "not.parquet")


def test_a_missing_column_shows_what_there_is():
    """But no content in the place of a header."""
    assert "it has: alpha" in str(missing_column("f", "alhpa", ["alpha", "b"]))
    shown = str(missing_column("f", "a", ["Dear Sir, how are you?"]))
    assert "does not look like" in shown
    assert "Dear" not in shown


@given(st.dictionaries(st.text("abc", min_size=1), st.integers() | st.none()))
def test_objects_may_be_text(value):
    """JSON's, or Python's own."""
    assert as_object(json.dumps(value)) == value
    assert as_object(repr(value)) == value
    assert as_object(value) is value


def test_equal_rows_have_ids_by_their_place():
    """The same each time."""
    ids = [
        [some.of(None, row) for row in ({"a": 1}, {"a": 2}, {"a": 1})]
        for some in (RowIds(repr), RowIds(repr))
    ]

    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 3
    assert RowIds(repr).of(" own ", {}) == "own"

"""Any table: mapped columns and no others, in their own units."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from lectr_lab.core.errors import LogError
from lectr_lab.log.importers.table import table_rows


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two equal calls and another."""
    path = tmp_path / "calls.csv"
    path.write_text("at,tokens,took_s,note\n1,10,0.5,a\n1,10,0.5,b\n2,,0.1,c\n")
    return path


MAPPING = {
    "started_at": "at",
    "input_tokens": "tokens",
    "total_ms": "took_s*1000",
    "provider": "=openai",
}


def test_entries_are_names_factors_and_constants(table):
    """What is empty stays so."""
    first, _, last = table_rows(table, MAPPING).rows

    assert first.facts == {
        "started_at": "1",
        "input_tokens": "10",
        "total_ms": 500.0,
        "provider": "openai",
    }
    assert last.facts["input_tokens"] is None


def test_equal_rows_are_events_of_their_own(table):
    """The same ones each time, whatever the unmapped columns say."""
    ids = [row.source_id for row in table_rows(table, MAPPING).rows]

    assert len(set(ids)) == 3
    assert ids == [row.source_id for row in table_rows(table, MAPPING).rows]


def test_parquet_and_a_start_of_time(tmp_path):
    """Seconds since then."""
    path = tmp_path / "calls.parquet"
    pl.DataFrame({"t_s": [1.5, None]}).write_parquet(path)

    epoch = datetime(2026, 11, 24, tzinfo=UTC)
    first, last = table_rows(path, {"started_at": "t_s"}, epoch).rows

    assert first.facts["started_at"].isoformat() == "2026-11-24T00:00:01.500000+00:00"
    assert last.facts["started_at"] is None


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ({"input_tokens": "tokens"}, "needs a column for started_at"),
        ({"started_at": "when"}, "no column 'when'; it has: at, tokens"),
        ({"started_at": "at", "input_token": "tokens"}, "near: input_tokens"),
        ({"started_at": "at", "event_id": "note"}, "no column 'event_id' to import"),
    ],
)
def test_a_wrong_map_says_what_is_near(table, mapping, said):
    """Before anything is written."""
    with pytest.raises(LogError, match=said):
        table_rows(table, mapping)


def test_no_table_is_refused(tmp_path):
    """Without a word of what it holds."""
    path = tmp_path / "calls.parquet"
    path.write_bytes(b"secret")

    with pytest.raises(LogError, match="neither Parquet nor CSV") as raised:
        table_rows(path, {"started_at": "at"})
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "line", ["Dear Sir, how are you?", '[{"messages":"Dear Sir"}]', "Dear Sir,,,12"]
)
def test_a_file_without_a_header_shows_nothing_of_its_first_line(tmp_path, line):
    """It is somebody's content."""
    path = tmp_path / "calls.csv"
    path.write_text(f"{line}\n{line}\n")

    with pytest.raises(LogError, match="does not look like the names") as raised:
        table_rows(path, {"started_at": "at"})
    assert "Dear" not in str(raised.value)


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_an_empty_file_and_a_folder_are_called_that(tmp_path, name):
    """Not "neither Parquet nor CSV"."""
    (tmp_path / "empty.csv").touch()
    (tmp_path / name).mkdir()

    with pytest.raises(LogError, match=r"empty\.csv is empty"):
        table_rows(tmp_path / "empty.csv", {"started_at": "at"})
    with pytest.raises(LogError, match="is a folder"):
        table_rows(tmp_path / name, {"started_at": "at"})

"""Any table: mapped and known columns and no others, in the log's units."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from lectr_lab.core.errors import LogError
from lectr_lab.core.event import columns
from lectr_lab.log.importers import table as tables
from lectr_lab.log.importers.cached_input import AS_STATED, TOLD_APART
from lectr_lab.log.importers.events import NO_OUTCOME
from lectr_lab.log.importers.fields import Choices
from lectr_lab.log.importers.table import TAKEN_INCLUDED, table_rows


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two equal calls and another."""
    path = tmp_path / "calls.csv"
    path.write_text("at,sent,took_s,note\n1,10,0.5,a\n1,10,0.5,a\n2,,0.1,c\n")
    return path


MAPPING = {
    "started_at": "at",
    "input_tokens": "sent",
    "total_ms": "took_s*1000",
    "provider": "=openai",
}


def mapped(path: Path, mapping=None, **more):
    return table_rows(path, Choices(columns=mapping or {}, **more))


def test_entries_are_names_factors_and_constants(table):
    """What is empty stays so."""
    first, _, last = mapped(table, MAPPING).rows

    assert first.facts == {
        "started_at": "1",
        "input_tokens": "10",
        "total_ms": 500.0,
        "provider": "openai",
    }
    assert last.facts["input_tokens"] is None


def test_equal_rows_are_events_of_their_own(table):
    """The same ones each time, whatever the map says."""
    ids = [row.source_id for row in mapped(table, MAPPING).rows]

    assert len(set(ids)) == 3
    other = {"started_at": "at", "output_tokens": "sent"}
    assert ids == [row.source_id for row in mapped(table, other).rows]


def test_parquet_and_a_start_of_time(tmp_path):
    """Seconds since then."""
    path = tmp_path / "calls.parquet"
    pl.DataFrame({"t_s": [1.5, None]}).write_parquet(path)

    epoch = datetime(2026, 11, 24, tzinfo=UTC)
    first, last = mapped(path, {"started_at": "t_s"}, epoch=epoch).rows

    assert first.facts["started_at"].isoformat() == "2026-11-24T00:00:01.500000+00:00"
    assert last.facts["started_at"] is None


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ({"input_tokens": "sent"}, r"--column started_at=.*it has: at, sent"),
        ({"started_at": "when"}, "no column 'when'; it has: "),
        ({"started_at": "at", "input_token": "sent"}, "near: input_tokens"),
        ({"started_at": "at", "event_id": "note"}, "no column 'event_id' to import"),
        ({"started_at": "at", "input_tokens": "sent+more"}, "no column 'more'"),
    ],
)
def test_a_wrong_map_says_what_is_near(table, mapping, said):
    """Before anything is written."""
    with pytest.raises(LogError, match=said):
        mapped(table, mapping)


@pytest.mark.parametrize(
    "line", ["Dear Sir, how are you?", "[Dear Sir?]", "Dear Sir?,,,12"]
)
def test_a_file_without_a_header_shows_nothing_of_its_first_line(tmp_path, line):
    """It is somebody's content."""
    path = tmp_path / "calls.csv"
    path.write_text(f"{line}\n{line}\n")

    with pytest.raises(LogError, match="does not look like the names") as raised:
        mapped(path, {"started_at": "at"})
    assert "Dear" not in str(raised.value)


KNOWN = {
    "timestamp": "2026-11-24T10:00:00Z",
    "Request Model": "gpt-4o",
    "prompt_tokens": "1,200",
    "completionTokens": "7",
    "cached_tokens": "1000",
    "latency_ms": "12.5",
    "cost_usd": "0.1",
    "session_id": "s-1",
    "status": "success",
    "prompt": "hello",
}


def csv_of(folder: Path, *rows: dict) -> Path:
    path = folder / "calls.csv"
    pl.DataFrame(rows).write_csv(path)
    return path


def test_columns_are_known_by_their_names(tmp_path, take):
    """Without any map; words of an outcome and thousands are understood."""
    [event] = take(mapped(csv_of(tmp_path, KNOWN))).events

    assert (event["model_requested"], event["provider"]) == ("gpt-4o", "openai")
    assert (event["input_tokens"], event["output_tokens"]) == (1200, 7)
    assert (event["total_ms"], event["cost_stated_usd"]) == (12.5, 0.1)
    assert (event["session"], event["outcome"]) == ("s-1", "ok")
    assert "hello" not in str(event)
    said = next(iter(take(mapped(csv_of(tmp_path, KNOWN))).said))
    assert "input_tokens=prompt_tokens" in said


OUT = {"session": "", "cache_read_tokens": ""}


def test_the_map_goes_before_names_that_are_known(tmp_path, take):
    """And an empty entry leaves a column out."""
    path = csv_of(tmp_path, KNOWN)

    told = take(mapped(path, {"input_tokens": "completionTokens"} | OUT))

    [event] = told.events
    assert event["input_tokens"] == 7
    assert "session" not in event


def test_every_name_that_is_known_is_of_a_column():
    """And each stands once."""
    names = tables._names()["columns"]
    every = [name for some in names.values() for name in some]

    assert set(names) <= {c.name for c in columns()}
    assert len(every) == len(set(every))


def test_what_cannot_be_read_is_counted_by_column(tmp_path, take):
    """5.000 may be five or five thousand."""
    rows = [KNOWN | {"prompt_tokens": n} for n in ("5.000", "many", "5,000")]

    told = take(mapped(csv_of(tmp_path, *rows)))

    assert told.unreadable == {"input_tokens": 2}
    assert told.events[2]["input_tokens"] == 5000


CACHED = {
    "time": "2026-11-24T10:00:00Z",
    "model": "some-model",
    "in": "100",
    "read": "80",
    "write": "10",
}
APART = {
    "input_tokens": "in",
    "cache_read_tokens": "read",
    "cache_write_tokens": "write",
}


@pytest.mark.parametrize(
    ("entry", "more", "whole"),
    [
        ("in+read+write", {}, 190),
        ("in + read", {}, 180),
        ("in", {"cached": "apart"}, 190),
        ("in", {"cached": "included"}, 100),
        ("in", {}, 100),
    ],
)
def test_input_is_all_of_it_as_it_is_told(tmp_path, take, entry, more, whole):
    """By a sum, or by a choice; without either it is taken to be, and that is said."""
    path = csv_of(tmp_path, CACHED)

    told = take(mapped(path, APART | {"input_tokens": entry}, **more))

    assert told.events[0]["input_tokens"] == whole
    assert told.said[TAKEN_INCLUDED] == (entry == "in" and not more)


@pytest.mark.parametrize(("total", "whole"), [("197", 190), ("107", 100)])
def test_a_total_tells_it(tmp_path, take, total, whole):
    """Without asking, whoever made the call."""
    row = CACHED | {"model": "claude-x", "output_tokens": "7", "total_tokens": total}

    told = take(mapped(csv_of(tmp_path, row), APART))

    assert told.events[0]["input_tokens"] == whole
    assert told.said[TOLD_APART] == (whole == 190)


@pytest.mark.parametrize(
    "change", [{"in": "8"}, {"model": "claude-sonnet-4-5"}, {"provider": "anthropic"}]
)
def test_where_it_matters_and_nobody_can_know_it_is_asked(tmp_path, change):
    """More cached than input, or a vendor that counts apart: both ways are named."""
    path = csv_of(tmp_path, CACHED | change)

    with pytest.raises(LogError, match=r"--cached-apart.*--cached-included.*a\+b\+c"):
        list(mapped(path, APART).rows)


def test_names_may_tell_it(tmp_path, take):
    """Those of a table that has input without the cache."""
    row = {"Input (w/o Cache Write)": "100", "Cache Read": "80"}
    path = csv_of(tmp_path, {"time": "2026-11-24T10:00:00Z"} | row)

    told = take(mapped(path, {"input_tokens": "Input (w/o Cache Write)"}))

    assert told.events[0]["input_tokens"] == 180
    assert told.said[TOLD_APART] == told.said[NO_OUTCOME] == 1


def test_a_table_with_the_logs_own_names_is_taken_at_its_word(tmp_path, take):
    """Its counts may contradict each other; they are then priced by nobody."""
    row = {"input_tokens": "3", "cache_read_tokens": "90", "model": "claude-x"}
    path = csv_of(tmp_path, {"started_at": "2026-11-24T10:00:00Z"} | row)

    told = take(mapped(path))

    assert told.events[0]["input_tokens"] == 3
    assert told.said[AS_STATED] == 1


def test_fields_within_others_can_be_mapped(tmp_path, take):
    """Of JSON lines."""
    path = tmp_path / "calls.jsonl"
    path.write_text('{"t": "2026-11-24T10:00:00Z", "usage": {"sent": 3}}\nnot json\n')

    told = take(mapped(path, {"started_at": "t", "input_tokens": "usage.sent"}))

    assert told.events[0]["input_tokens"] == 3
    assert told.left == {tables.NO_ROW: 1}


def test_a_providers_prefix_comes_off(tmp_path, take):
    """In any spelling of its name."""
    row = {"time": "2026-11-24T10:00:00Z", "provider": "Groq", "model": "groq/llama-3"}

    [event] = take(mapped(csv_of(tmp_path, row))).events

    assert (event["provider"], event["model_requested"]) == ("groq", "llama-3")

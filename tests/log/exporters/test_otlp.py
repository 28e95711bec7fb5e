"""Spans in files: their days, their sizes, and what is left when writing fails."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from lectr_lab.core.errors import LogError
from lectr_lab.log.exporters.otlp import export_spans, span_of
from lectr_lab.log.schema import frame

DAY = datetime(2026, 11, 24, tzinfo=UTC)


def spans(files: Iterable[Path]) -> list[dict[str, Any]]:
    """Every span of some files."""
    lines = [json.loads(line) for f in files for line in f.read_text().splitlines()]
    return [
        span
        for line in lines
        for group in line["resourceSpans"]
        for scope in group["scopeSpans"]
        for span in scope["spans"]
    ]


def test_a_row_is_a_span(make_events):
    """With the ids, times and kind that collectors ask for."""
    [event] = make_events(1)
    [row] = frame([event]).to_dicts()

    span = span_of(row | {"total_ms": 0.125, "trace_id": "ab" * 16})

    assert (span["traceId"], len(span["spanId"])) == ("ab" * 16, 16)
    assert (span["name"], span["kind"], span["status"]) == (
        "chat gpt-4o",
        3,
        {"code": 1},
    )
    took = int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"])
    assert took == 125_000
    attributes = {a["key"]: a["value"] for a in span["attributes"]}
    assert attributes["gen_ai.usage.input_tokens"] == {"intValue": "0"}
    assert attributes["lectr.duration"] == {"doubleValue": 0.125}


@pytest.mark.parametrize("trace", [None, "", "0" * 32, "AB" * 16, "ab"])
def test_a_row_without_a_trace_is_one_of_its_own(make_events, trace):
    """An id that is none is passed over."""
    [row] = frame(make_events(1)).to_dicts()

    assert span_of(row | {"trace_id": trace})["traceId"] == row["event_id"].hex()


@pytest.mark.parametrize(
    "outcome, code",
    [("ok", 1), ("client_disconnect", 1), ("timeout", 2), ("provider_error", 2)],
)
def test_what_failed_is_an_error(make_events, outcome, code):
    """A client that left is none."""
    [row] = frame(make_events(1)).to_dicts()

    assert span_of(row | {"outcome": outcome})["status"] == {"code": code}


def test_a_file_has_one_day_and_no_more_than_its_size(make_events, tmp_path):
    """A day that comes again, as the journal's tail does, has another file."""
    first, second, again = make_events(3), make_events(2, day=1), make_events(1)
    batches = [frame([*first, *second]), frame(again)]

    small = export_spans(batches, tmp_path / "small", most_bytes=1)
    large = export_spans(batches, tmp_path / "large")

    assert [f.name for f in large.files] == [
        "spans-2026-11-24-0001.jsonl",
        "spans-2026-11-25-0001.jsonl",
        "spans-2026-11-24-0002.jsonl",
    ]
    assert small.spans == large.spans == len(spans(large.files)) == 6
    assert sorted(p.name for p in (tmp_path / "large").iterdir()) == sorted(
        f.name for f in large.files
    )
    assert all(f.stat().st_mode & 0o777 == 0o600 for f in large.files)


def test_many_rows_are_many_lines(make_events, tmp_path):
    """Each is a message by itself; a small file ends with the line that fills it."""
    rows = frame(make_events(1_200))

    done = export_spans([rows], tmp_path, most_bytes=1)

    assert (done.spans, len(done.files)) == (1_200, 3)
    assert [len(spans([f])) for f in done.files] == [500, 500, 200]


def test_a_day_that_is_written_again_is_replaced(make_events, tmp_path):
    """Also where it had more files before; other days stay."""
    export_spans(
        [frame(make_events(600)), frame(make_events(1, 1))], tmp_path, most_bytes=1
    )

    done = export_spans([frame(make_events(1))], tmp_path)

    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "spans-2026-11-24-0001.jsonl",
        "spans-2026-11-25-0001.jsonl",
    ]
    assert len(spans(done.files)) == 1


def test_what_is_broken_off_leaves_no_half_file(make_events, tmp_path):
    """Ctrl-C, say: what is under a name is whole."""

    def broken_off() -> Iterable[pl.DataFrame]:
        yield frame(make_events(1))
        yield frame(make_events(1, day=1))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_spans(broken_off(), tmp_path)

    assert [p.name for p in tmp_path.iterdir()] == ["spans-2026-11-24-0001.jsonl"]


def test_a_folder_that_cannot_be_written_is_said(make_events, tmp_path):
    """By its name, in words."""
    (tmp_path / "file").write_text("")

    with pytest.raises(LogError, match=r"file.* cannot be written"):
        export_spans([frame(make_events(1))], tmp_path / "file")


def test_an_hour_after_midnight_is_the_next_day_s(make_events, tmp_path):
    """Days are those of UTC, as in the log."""
    rows = frame(make_events(2)).with_columns(
        started_at=pl.Series([DAY - timedelta(microseconds=1), DAY])
    )

    assert len(export_spans([rows], tmp_path).files) == 2

"""Merging: like beside like, bounded, every row there."""

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from lectr_lab.log.checksums import checksum
from lectr_lab.log.parts import current_schema
from lectr_lab.log.schema import file_metadata, frame
from lectr_lab.log.upkeep.merge import SORTED_BY, Part, groups, merge


def test_groups_reach_their_size_and_no_more(tmp_path):
    """A group ends with the part that fills it; the last may be smaller."""
    parts = [Part(tmp_path / str(i), 40, 0, 0) for i in range(8)]

    assert [len(group) for group in groups(parts, 100)] == [3, 3, 2]
    assert list(groups([], 100)) == []


def test_a_merged_part_is_sorted_private_and_complete(tmp_path, make_events):
    """And its checksum is that of the file."""
    old = []
    for number, orgs in enumerate(["b", "a"]):
        path = tmp_path / f"{number:032x}.parquet"
        rows = frame(make_events(5)).with_columns(org=pl.lit(orgs))
        rows.write_parquet(path, metadata=file_metadata())
        old.append(Part(path, 5, 0, 0))
    (tmp_path / "new").mkdir()

    part = merge(old, tmp_path / "new", current_schema())

    rows = pl.read_parquet(part.path)
    assert rows.equals(rows.sort(*SORTED_BY))
    assert sorted(rows["input_tokens"]) == list(range(10))
    assert part == Part(part.path, 10, Path(part.path).stat().st_size, part.crc)
    assert part.crc == checksum(part.path)
    assert part.path.stat().st_mode & 0o777 == 0o600


ENDED = [  # outcome, status: does the provider's id stay?
    ("ok", 200, False),
    ("ok", None, False),
    ("ok", 429, True),
    ("provider_error", 500, True),
    ("client_disconnect", 200, True),
    (None, 200, True),
    (None, None, True),
]


@pytest.mark.parametrize("keep_all", [False, True])
def test_the_providers_ids_of_failures_stay(tmp_path, make_events, keep_all):
    """Also where nobody said how the call ended; all of them if asked to."""
    rows = frame(make_events(len(ENDED))).with_columns(
        outcome=pl.Series([outcome for outcome, _, _ in ENDED]),
        status=pl.Series([status for _, status, _ in ENDED], dtype=pl.Int64),
        provider_request_id=pl.Series([f"req_{i}" for i in range(len(ENDED))]),
    )
    path = tmp_path / "old.parquet"
    rows.write_parquet(path, metadata=file_metadata())

    part = Part(path, rows.height, 0, 0)
    once, again = tmp_path / "once", tmp_path / "again"
    once.mkdir(), again.mkdir()
    for folder in (once, again):
        schema = current_schema()
        part = merge([part], folder, schema, keep_request_ids=keep_all)

    merged = pl.read_parquet(part.path).sort("event_id")
    stay = [f"req_{i}" if s or keep_all else None for i, (*_, s) in enumerate(ENDED)]
    assert merged["provider_request_id"].to_list() == stay
    rest = pl.exclude("provider_request_id")
    assert_frame_equal(merged.select(rest), rows.sort("event_id").select(rest))

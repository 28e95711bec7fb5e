"""Merging: like beside like, bounded, every row there."""

from pathlib import Path

import polars as pl

from lectr_lab.log.checksums import checksum
from lectr_lab.log.merge import SORTED_BY, Part, groups, merge
from lectr_lab.log.parts import current_schema
from lectr_lab.log.schema import file_metadata, frame


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

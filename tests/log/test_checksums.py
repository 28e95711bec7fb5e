"""Checksums: kept beside the log, by day and name; never in the way."""

import shutil
import zlib
from datetime import date

from lectr_lab.log.checksums import (
    checksum,
    checksum_file,
    checksums,
    note_checksums,
    replace_checksums,
)

DAY = date(2026, 11, 24)


def test_a_sum_is_that_of_all_bytes(tmp_path):
    """Over the edge of a block."""
    data = bytes(range(256)) * 5000
    (tmp_path / "file").write_bytes(data)

    assert checksum(tmp_path / "file") == zlib.crc32(data)


def test_of_two_lines_either_may_be_true(lab):
    """A sum is noted before its part is there. Lines are added, until replaced."""
    note_checksums(lab, DAY, {"a": 1, "b": 2})
    note_checksums(lab, DAY, {"a": 3})
    before = checksums(lab, DAY)
    replace_checksums(lab, DAY, {"c": {4}})

    assert before == {"a": {1, 3}, "b": {2}}
    assert checksums(lab, DAY) == {"c": {4}}
    assert checksum_file(lab, DAY).stat().st_mode & 0o777 == 0o600


def test_a_torn_or_missing_file_is_fewer_sums(lab):
    """What cannot be read is not known; nothing raises."""
    note_checksums(lab, DAY, {"a": 1})
    with checksum_file(lab, DAY).open("ab") as file:
        file.write(b"\xff\xfe zz\n\n0000")
    torn = checksums(lab, DAY)
    shutil.rmtree(lab.state)
    note_checksums(lab, DAY, {"a": 1})

    assert torn["a"] == {1}
    assert checksums(lab, DAY) == {}

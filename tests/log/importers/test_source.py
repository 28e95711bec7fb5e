"""An export is a file, and unpacks to no more than is said."""

import gzip
import os
import zlib

import pytest
import zstandard

from lectr_lab.core.errors import LogError
from lectr_lab.log.importers import source
from lectr_lab.log.importers.importing import import_log

CALLS = b"when,sent\n2026-11-02T09:00:00Z,812\n2026-11-02T10:00:00Z,9\n"
COLUMNS = {"started_at": "when", "input_tokens": "sent", "outcome": "=ok"}
PACKED = {
    "gzip": gzip.compress,
    "gzip of two members": lambda data: (
        gzip.compress(data[:20]) + gzip.compress(data[20:])
    ),
    "zlib": zlib.compress,
    "zstd": zstandard.compress,
    "zstd of two frames": lambda data: (
        zstandard.compress(data[:20]) + zstandard.compress(data[20:])
    ),
    "nothing": bytes,
}


@pytest.mark.parametrize("how", PACKED)
def test_a_packed_table_is_read_as_it_was(lab, tmp_path, how):
    """However it is packed, and not."""
    file = tmp_path / "calls.csv"
    file.write_bytes(PACKED[how](CALLS))

    report = import_log(file, lab, kind="table", org="acme", columns=COLUMNS)

    assert report.added == 2


@pytest.mark.parametrize("how", [how for how in PACKED if how != "nothing"])
@pytest.mark.parametrize("kind", ["table", "litellm", "otel"])
def test_a_bomb_is_refused(lab, tmp_path, monkeypatch, how, kind):
    """Before it fills the memory; and it says what to do with a file that is none."""
    monkeypatch.setattr(source, "MOST_UNPACKED_BYTES", 1 << 20)
    file = tmp_path / "calls.csv"
    file.write_bytes(PACKED[how](bytes((1 << 20) + 1)))

    with pytest.raises(LogError, match="unpacks to more than 1 MB"):
        import_log(file, lab, kind=kind, org="acme", columns=COLUMNS)


@pytest.mark.parametrize("how", [how for how in PACKED if how != "nothing"])
def test_half_a_packed_file_is_an_error_or_a_part(lab, tmp_path, how):
    """Never a traceback."""
    file = tmp_path / "calls.csv"
    data = PACKED[how](os.urandom(3000))
    file.write_bytes(data[: len(data) // 2])

    with pytest.raises(LogError):
        import_log(file, lab, kind="table", org="acme", columns=COLUMNS)


@pytest.mark.parametrize("kind", ["table", "litellm", "otel"])
@pytest.mark.parametrize("name", ["calls.csv", "calls.parquet", "calls.json"])
def test_what_is_no_file_is_not_waited_for(lab, tmp_path, kind, name):
    """A pipe without a writer is refused at once."""
    os.mkfifo(tmp_path / name)

    with pytest.raises(LogError, match="a pipe, not a file"):
        import_log(tmp_path / name, lab, kind=kind, org="acme", columns=COLUMNS)

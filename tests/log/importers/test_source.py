"""An export is a file, and unpacks to no more than is said."""

import gzip
import json
import os
import zlib

import pytest
import zstandard

from lectr_lab.core.errors import LogError
from lectr_lab.log.importers import source
from lectr_lab.log.importers.fields import Choices
from lectr_lab.log.importers.importing import import_log
from lectr_lab.log.importers.source import files_in, json_values

CALLS = b"when,sent\n2026-11-02T09:00:00Z,812\n2026-11-02T10:00:00Z,9\n"
COLUMNS = Choices(
    columns={"started_at": "when", "input_tokens": "sent", "outcome": "=ok"}
)
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

    report = import_log(file, lab, kind="table", org="acme", choices=COLUMNS)

    assert report.added == 2


@pytest.mark.parametrize("how", [how for how in PACKED if how != "nothing"])
@pytest.mark.parametrize("kind", ["table", "litellm", "otel"])
def test_a_bomb_is_refused(lab, tmp_path, monkeypatch, how, kind):
    """Before it fills the memory; and it says what to do with a file that is none."""
    monkeypatch.setattr(source, "MOST_UNPACKED_BYTES", 1 << 20)
    file = tmp_path / "calls.csv"
    file.write_bytes(PACKED[how](bytes((1 << 20) + 1)))

    with pytest.raises(LogError, match="unpacks to more than 1 MB"):
        import_log(file, lab, kind=kind, org="acme", choices=COLUMNS)


@pytest.mark.parametrize("how", [how for how in PACKED if how != "nothing"])
def test_half_a_packed_file_is_an_error_or_a_part(lab, tmp_path, how):
    """Never a traceback."""
    file = tmp_path / "calls.csv"
    data = PACKED[how](os.urandom(3000))
    file.write_bytes(data[: len(data) // 2])

    with pytest.raises(LogError):
        import_log(file, lab, kind="table", org="acme", choices=COLUMNS)


@pytest.mark.parametrize("kind", ["table", "litellm", "otel"])
@pytest.mark.parametrize("name", ["calls.csv", "calls.parquet", "calls.json"])
def test_what_is_no_file_is_not_waited_for(lab, tmp_path, kind, name):
    """A pipe without a writer is refused at once."""
    os.mkfifo(tmp_path / name)

    with pytest.raises(LogError, match="a pipe, not a file"):
        import_log(tmp_path / name, lab, kind=kind, org="acme", choices=COLUMNS)


VALUES = [{"a": 1}, {"b": [2]}]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (json.dumps(VALUES), VALUES),
        (json.dumps(VALUES, indent=2), VALUES),
        (json.dumps({"data": VALUES, "total": 2}), VALUES),
        (json.dumps({"data": VALUES}, indent=1), VALUES),
        ("\n".join(map(json.dumps, VALUES)), VALUES),
        ("\ufeff" + "\n\n".join(map(json.dumps, VALUES)) + "\n", VALUES),
        ('{"a": 1}\nnot json\n{"b": [2]}', [VALUES[0], None, VALUES[1]]),
        ('not json\n{"a": 1}\n', [None, VALUES[0]]),
        ('{"a": 1}', [VALUES[0]]),
        ('{"a": [NaN]}\n{"b": [2]}', None),
    ],
)
def test_every_form_of_json_is_a_list_of_values(tmp_path, text, values):
    """A list, a page of an API, lines; a line that is none is None."""
    path = tmp_path / "a.json"
    path.write_text(text)

    found = list(json_values(path).values)

    assert len(found) == 2 if values is None else found == values


def test_an_empty_file_is_called_that(tmp_path):
    """Blank lines are nothing."""
    path = tmp_path / "a.json"
    path.write_text("\n \n")

    with pytest.raises(LogError, match=r"a\.json is empty"):
        json_values(path)


def test_a_folders_files_are_those_with_the_names(tmp_path):
    """At any depth, in their order; a file is itself."""
    (tmp_path / "b" / "c").mkdir(parents=True)
    for name in ("z.jsonl", "b/c/a.jsonl", "b/a.txt"):
        (tmp_path / name).touch()

    found = files_in(tmp_path, "*.jsonl", "*.json")

    assert found == [tmp_path / "b" / "c" / "a.jsonl", tmp_path / "z.jsonl"]
    assert files_in(tmp_path / "b" / "a.txt", "*.jsonl") == [tmp_path / "b" / "a.txt"]
    with pytest.raises(LogError, match=r"without any file \*\.csv"):
        files_in(tmp_path, "*.csv")

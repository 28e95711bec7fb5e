"""A row's identity is the table's own, and does not depend on the map."""

from pathlib import Path

import pytest

from lectr_lab.core.errors import LogError
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.importers.fields import Choices
from lectr_lab.log.importers.importing import import_log
from lectr_lab.log.importers.table_ids import top_level
from lectr_lab.log.scan import scan

HEAD = "{id},time,model,in,out"
ROWS = "".join(f"{{0}}{n},2026-11-2{n}T10:00:00Z,gpt-4o,{n}00,5\n" for n in range(1, 4))
MAP = {"input_tokens": "in"}


def written(folder: Path, id_="id", prefix="r", rows=ROWS) -> Path:
    path = folder / "calls.csv"
    path.write_text(f"{HEAD.format(id=id_)}\n{rows.format(prefix)}")
    return path


def put(path: Path, lab: LabFolder, mapping=MAP, **more):
    choices = Choices(columns=mapping, **more)
    return import_log(path, lab, kind="table", org="acme", choices=choices)


@pytest.mark.parametrize("id_", ["id", "request_id", "Generation ID", "whatever"])
def test_a_better_map_replaces(lab, tmp_path, id_):
    """With an id or without."""
    put(written(tmp_path, id_), lab)

    done = put(written(tmp_path, id_), lab, MAP | {"output_tokens": "out"})

    assert (done.added, done.replaced) == (0, 3)
    assert scan(lab.root).collect()["output_tokens"].to_list() == [5, 5, 5]


@pytest.mark.parametrize(
    ("id_", "more"),
    [
        ("id", {}),
        ("whatever", {"id_column": "whatever"}),
        ("whatever", {"mapping": MAP | {"provider_request_id": "whatever"}}),
    ],
)
def test_a_corrected_row_replaces(lab, tmp_path, id_, more):
    """Known by the id that it has, that is named, or that the map has."""
    put(written(tmp_path, id_), lab, **more)

    done = put(written(tmp_path, id_, rows=ROWS.replace("100,", "101,")), lab, **more)

    assert (done.added, done.replaced, done.known) == (0, 1, 2)
    assert sorted(scan(lab.root).collect()["input_tokens"]) == [101, 200, 300]


def test_an_id_that_is_named_later_finds_the_rows(lab, tmp_path):
    """They were known by all that they said."""
    put(written(tmp_path, "whatever"), lab)

    done = put(written(tmp_path, "whatever"), lab, id_column="whatever")

    assert (done.added, done.known + done.replaced) == (0, 3)
    assert scan(lab.root).collect().height == 3


def test_short_ids_of_two_tables_are_apart(lab, tmp_path):
    """1 is a row of each."""
    put(written(tmp_path, prefix=""), lab)
    other = tmp_path / "other.csv"
    other.write_text("id,time,tokens_in\n1,2026-11-21T10:00:00Z,7\n")

    done = put(other, lab, {})

    assert done.added == 1
    assert scan(lab.root).collect().height == 4


def test_rows_with_one_id_are_one_call(lab, tmp_path):
    """A few; a column in which most are alike is none of ids."""
    twenty = "".join(f"r{n},2026-11-21T10:00:00Z,m,{n}00,5\n" for n in range(1, 21))
    one_twice = twenty + "r1,2026-11-21T10:00:00Z,m,100,6\n"
    done = put(written(tmp_path, rows=one_twice.replace("{0}", "")), lab)
    alike = LabFolder(tmp_path / "other")
    rows = "".join(f"same,2026-11-21T10:00:00Z,m,{n}00,5\n" for n in range(1, 4))
    all_alike = put(written(tmp_path, rows=rows), alike)

    assert done.added == 20
    assert all_alike.added == 3


def test_an_id_column_that_is_not_there_is_an_error(lab, tmp_path):
    """It says what there is."""
    with pytest.raises(LogError, match="no column 'no'; it has: "):
        put(written(tmp_path), lab, id_column="no")


def test_a_row_without_its_id_is_known_by_all_of_it(lab, tmp_path):
    """Not as another such row."""
    rows = ",2026-11-21T10:00:00Z,m,100,5\n,2026-11-22T10:00:00Z,m,200,5\n"

    done = [put(written(tmp_path, rows=rows), lab, id_column="id") for _ in range(2)]

    assert [(d.added, d.known) for d in done] == [(2, 0), (0, 2)]


def test_top_level_columns_hold_the_others():
    """A field within one is no column of its own."""
    assert top_level(["a", "a.b", "c.d"]) == ("a", "c.d")

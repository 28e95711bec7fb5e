"""A set of cells as one object."""

from datetime import UTC, date, datetime
from random import Random

import polars as pl
import pytest
from cell_logs import event
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.analysis.cells.prefix_sets import (
    day_path,
    month_path,
    packed,
    unpacked,
)
from lectr_lab.analysis.cells.sets import KINDS, CellSet, counted
from lectr_lab.log.schema import frame
from lectr_lab.shipping.stores import RemoteStore

PATH = day_path(date(2026, 11, 1), "a" * 32, 1_000)


def some(few: bool = False) -> CellSet:
    rng, day = Random(3), datetime(2026, 11, 1, tzinfo=UTC)
    rows = frame([event(rng, [day], ["chat"]) for _ in range(40)])
    return counted(rows.lazy())._replace(few=few)


DATA = packed(PATH, some())


@pytest.mark.parametrize("few", [False, True])
def test_a_set_is_as_it_was_put(few):
    """Each kind, and whether features share a name."""
    found = unpacked(PATH, packed(PATH, some(few)))

    assert found is not None and found.few is few
    for kind in KINDS:
        expected = getattr(some(), kind)
        assert pl.read_parquet(found[kind]).equals(
            expected if kind == "bins" else pl.read_parquet(some().files()[kind])
        )


@given(at=st.integers(0, len(DATA) - 1), bit=st.integers(0, 7), cut=st.booleans())
def test_a_flipped_bit_or_a_torn_end_is_noticed_or_says_the_same(at, bit, cut):
    """Of an archive's own notes, such as times, some say nothing."""
    flipped = DATA[:at] + bytes([DATA[at] ^ (1 << bit)]) + DATA[at + 1 :]
    found = unpacked(PATH, DATA[:at] if cut else flipped)

    assert found is None or (not cut and found == unpacked(PATH, DATA))


@pytest.mark.parametrize("other", ["another's", "no archive", "no cells", "few kinds"])
def test_what_is_no_set_of_this_path_is_none(other, tmp_path):
    """However well it is packed."""
    none = CellSet(*(pl.DataFrame({"a": [1]}) for _ in KINDS), few=False)
    data = {
        "another's": packed(PATH.replace("aaaa", "bbbb"), some()),
        "no archive": b"PK",
        "no cells": packed(PATH, none),
        "few kinds": DATA.replace(b"taught.parquet", b"thought.parquet"),
    }[other]

    assert unpacked(PATH, data) is None


def test_a_name_says_what_was_counted():
    """Another object, size or day is another set; a month is of its sets, in any order."""
    day = date(2026, 11, 1)
    others = [
        day_path(date(2026, 11, 2), "a" * 32, 1_000),
        day_path(day, "b" * 32, 1_000),
        day_path(day, "a" * 32, 1_001),
    ]

    assert len({PATH, *others}) == 4
    assert month_path(day, [PATH, others[0]]) == month_path(day, [others[0], PATH])
    assert month_path(day, [PATH]) != month_path(day, [PATH, others[0]])


def test_the_store_lists_them(tmp_path):
    """What has such a name is an object of ours."""
    from lectr_lab.shipping.places import place
    from lectr_lab.shipping.stores import opened

    store: RemoteStore = opened(place(f"file://{tmp_path}/store", {}))
    paths = [PATH, month_path(date(2026, 11, 1), [PATH])]
    for path in paths:
        assert store.put_new(path, DATA)

    assert [one.path for one in store.listed("cells/")] == paths

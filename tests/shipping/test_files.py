"""Rows as objects."""

import io

import polars as pl
import pytest
from msgspec.structs import replace
from polars.testing import assert_frame_equal
from shipped_lab import events

from lectr_lab.core.errors import StoreError
from lectr_lab.log.schema import METADATA_KEY, frame
from lectr_lab.shipping.files import merged, packed


def test_what_is_packed_has_every_row():
    """With what a part says of itself."""
    rows = frame(events(0, 50))

    data = packed(rows)

    assert_frame_equal(pl.read_parquet(io.BytesIO(data)), rows, check_row_order=False)
    assert METADATA_KEY in pl.read_parquet_metadata(io.BytesIO(data))


def test_several_become_one_with_every_row():
    """An older one's missing column is null."""
    older = frame(events(0, 3)).drop("prefix_break")
    newer = frame(events(3, 4))
    written = io.BytesIO()
    older.write_parquet(written)

    made = merged([written.getvalue(), packed(newer)])

    got = pl.read_parquet(io.BytesIO(made.data))
    assert made.rows == got.height == 7
    assert_frame_equal(got, frame(events(0, 7)), check_row_order=False)


def test_what_is_no_log_is_said():
    """Nothing is merged then."""
    with pytest.raises(StoreError, match="no file of a log"):
        merged([b"nothing"])


def test_ids_that_nobody_asks_for_go_as_in_a_lab():
    """A provider's id of a call that ended well is random bytes; unless it is kept."""
    some = [
        replace(one, provider_request_id=f"req-{n}")
        for n, one in enumerate(events(0, 4))
    ]
    some[2] = replace(some[2], outcome="provider_error", status=500)
    files = [packed(frame(some))]

    def ids(data: bytes) -> set[str]:
        return set(
            pl.read_parquet(io.BytesIO(data))["provider_request_id"].drop_nulls()
        )

    assert ids(merged(files).data) == {"req-2"}
    assert len(ids(merged(files, keep_request_ids=True).data)) == 4

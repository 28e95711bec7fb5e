"""Rows as the bytes of one Parquet object, and several such objects as one."""

import io
from collections.abc import Sequence

import polars as pl

from lectr_lab.core.errors import StoreError
from lectr_lab.log.schema import file_metadata, polars_schema
from lectr_lab.log.upkeep.merge import SORTED_BY, ZSTD_LEVEL, ids_of_failures
from lectr_lab.shipping.protocol import Merged


def packed(rows: pl.DataFrame) -> bytes:
    """A Parquet file of these rows, like rows side by side, in one row group.

    >>> rows = pl.DataFrame(schema=polars_schema())
    >>> pl.read_parquet(packed(rows)).shape == (0, rows.width)
    True
    """
    out = io.BytesIO()
    rows.sort([*SORTED_BY, "event_id"], nulls_last=True).write_parquet(
        out,
        compression="zstd",
        compression_level=ZSTD_LEVEL,
        row_group_size=max(rows.height, 1),
        metadata=file_metadata(),
    )
    return out.getvalue()


def merged(files: Sequence[bytes], *, keep_request_ids: bool = False) -> Merged:
    """Several Parquet files of the log as one, with the columns of this version.

    Args:
        files: what each holds.
        keep_request_ids: the provider's ids of calls that ended well too; without it
            they go, as where a lab is compacted (`log/upkeep/merge.py`).

    Raises:
        StoreError: one of them is no file of a log.
    """
    try:
        frames = [_present(pl.read_parquet(io.BytesIO(data))) for data in files]
        rows = pl.concat(frames)
        if not keep_request_ids:
            rows = rows.with_columns(ids_of_failures())
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = str(error).partition("\n")[0]
        raise StoreError(
            f"A fresh object of this day is no file of a log: {reason}. The day stays "
            "as it is."
        ) from None
    return Merged(packed(rows), rows.height)


def _present(rows: pl.DataFrame) -> pl.DataFrame:
    """With the columns of this version; those that it did not have are null."""
    return rows.select(
        pl.col(name).cast(dtype)
        if name in rows.columns
        else pl.lit(None, dtype).alias(name)
        for name, dtype in polars_schema().items()
    )

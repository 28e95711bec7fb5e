"""What travels with a table."""

import base64
import gzip
import json
import math
from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.formatting import visible
from lectr_lab.tables.columns import written
from lectr_lab.tables.exact import packed


def unpacked(text):
    return json.loads(gzip.decompress(base64.b64decode(text)))


@given(
    st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=1),
    st.none() | st.floats(),
    st.none() | st.text(),
)
def test_no_figure_is_rounded_and_nothing_is_invisible(counts, amount, name):
    """Whole numbers that a browser would round are texts; what is no number is null."""
    n = len(counts)
    frame = pl.DataFrame(
        {"n": counts, "x_usd": [amount] * n, "feature": [name] * n},
        schema={"n": pl.Int64, "x_usd": pl.Float64, "feature": pl.String},
    )

    data = unpacked(packed(frame, written(frame), name="t", drawn={}, others=False))

    n_values, x_values, names = (column["values"] for column in data["columns"])
    assert [None if v is None else int(v) for v in n_values] == counts
    assert all(isinstance(v, str) or v is None or abs(v) < 2**53 for v in n_values)
    known = amount is not None and math.isfinite(amount)
    assert x_values == [amount if known else None] * n
    assert names == [None if name is None else visible(name)] * n


def test_moments_bytes_and_lists_are_texts():
    """As a spreadsheet can hold them."""
    frame = pl.DataFrame(
        {
            "at": [datetime(2026, 11, 2, tzinfo=UTC)],
            "id": [b"\x01\xff"],
            "reasons": [["a", "b"]],
            "ok": [True],
            "after": [timedelta(hours=1)],
        }
    )

    data = unpacked(packed(frame, written(frame), name="t", drawn={}, others=False))

    values = [column["values"][0] for column in data["columns"]]
    assert values == ["2026-11-02T00:00:00+00:00", "01ff", "a; b", True, "1:00:00"]


def test_ten_thousand_rows_are_half_a_megabyte():
    """What a notebook keeps of a table, at most; and its texts are those of Python."""
    n = 10_000
    frame = pl.DataFrame(
        {
            "feature": [f"feature-{i % 997}" for i in range(n)],
            "model": [f"model-{i % 13}" for i in range(n)],
            "spend_usd": [(i * 7919 % n) / 7 for i in range(n)],
            "requests": [i * 31 % 5000 for i in range(n)],
            "total_p95_ms": [(i * 104_729 % n) / 3 for i in range(n)],
        }
    )
    columns = written(frame)

    text = packed(frame, columns, name="t", drawn={}, others=False)

    assert len(text) < 500_000
    shown = unpacked(text)["shown"]
    assert [column["texts"] for column in shown[2:]] == [c.texts for c in columns[2:]]
    assert shown[0]["texts"] is None  # as it is

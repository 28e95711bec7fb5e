"""Which columns stand where."""

import polars as pl
import pytest

from lectr_lab.tables import table
from lectr_lab.tables.arranged import by_weight


@pytest.mark.parametrize(
    "given, arranged",
    [
        ("org feature model requests spend_usd", "org feature model spend_usd requests"),
        ("started_at org feature cost_usd", "started_at cost_usd org feature"),
        ("session spend_usd started_at requests", "session spend_usd started_at requests"),
        ("feature requests lost_usd share", "feature lost_usd share requests"),
        ("feature requests p95_ms", "feature requests p95_ms"),
        ("spend_usd", "spend_usd"),
    ],
)  # fmt: skip
def test_dollars_stand_behind_what_they_are_of(given, arranged):
    """Never last, where a narrow cell hides them; and no column is lost."""
    frame = pl.DataFrame({name: [] for name in given.split()})

    assert by_weight(frame).columns == arranged.split()


def test_a_column_of_dashes_is_left_out_and_named():
    """With what it rests on; not where a dash says why, nor `untagged`."""
    frame = pl.DataFrame(
        {
            "feature": [None, None],
            "requests": [1, 2],
            "spend_usd": [None, None],
            "unpriced": [1, 2],
            "ttft_p50_ms": [None, None],
            "ttft_n": [0, 0],
        },
        schema_overrides={"feature": pl.String, "spend_usd": pl.Float64},
    )

    text = repr(table(frame))

    assert text.splitlines()[0].split() == ["feature", "spend", "requests", "unpriced"]
    assert text.endswith("Left out, for no row has any: ttft p50, ttft n.")
    assert (
        "Left out, for no row has any: ttft p50, ttft n." in table(frame)._repr_html_()
    )


def test_one_row_of_many_figures_is_a_list():
    """As `totals` is: nobody reads sixty columns side by side."""
    frame = pl.DataFrame({f"n{i}": [i] for i in range(40)})

    shown = table(frame)

    assert len(repr(shown).splitlines()) == 41
    assert shown._repr_html_().count("<tr>") == 41

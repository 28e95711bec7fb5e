"""The cells of closed days, kept beside the log."""

from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest
from odd_traffic import DAY, Fault, as_log, feature, requests

import lectr_lab as lectr
from lectr_lab.analysis.odd import kept
from lectr_lab.core.pricing.price import UserPrice
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.schema import file_metadata

DAYS = 10
NOW = datetime(2026, 10, 14, 12, tzinfo=UTC)  # of the last day


@pytest.fixture
def lab(tmp_path):
    """A lab of two features at list prices; the first fails for two hours."""
    fault = Fault("errors", 0.5, (DAYS - 1) * DAY + 60, (DAYS - 1) * DAY + 84)
    log = pl.concat(
        requests(feature(n, 40.0), DAYS * DAY, None if n else fault) for n in range(2)
    )
    model = pl.lit("gpt-4o-mini-2024-07-18").alias("model_actual")
    rows = as_log(log.with_columns(model)).drop("cost_usd").collect()
    folder = LabFolder.create(tmp_path / "lab")
    for (day,), part in rows.group_by(pl.col("started_at").dt.date()):
        folder.day(day).mkdir()
        part.write_parquet(folder.day(day) / "a.parquet", metadata=file_metadata())
    return folder


def kept_days(lab):
    """The days that are kept, and what their files hold."""
    files = sorted((lab.root / "cells" / "odd").glob("*.feature.parquet"))
    return {file.name[:10]: file.read_bytes() for file in files}


def same(one, other):
    """Incidents alike, to the last digits that sums depend on."""
    assert one.incidents["id"].to_list() == other.incidents["id"].to_list()
    for name in ("onset", "end", "kinds", "requests", "first_rows"):
        assert one.incidents[name].to_list() == other.incidents[name].to_list()
    for name in ("size", "usd_over", "feature_weeks"):
        theirs = other.incidents[name].to_list()
        assert one.incidents[name].to_list() == pytest.approx(theirs)


def test_kept_cells_rows_and_both_give_the_same_incidents(lab):
    """Counted, counted and kept, read: once each."""
    rows = lectr.odd(lectr.scan(lab.root), now=NOW)
    first = lectr.odd(lab.root, now=NOW)
    days = kept_days(lab)

    again = lectr.odd(lab.root, now=NOW)

    assert len(rows) >= 1
    same(first, rows)
    same(again, rows)
    assert kept_days(lab) == days
    assert len(days) == DAYS - 1
    assert "2026-10-14" not in days


@pytest.mark.slow
@pytest.mark.parametrize(
    "harm", ["torn", "empty", "gone", "another price", "another row"]
)
def test_what_no_longer_holds_is_counted_again(lab, harm):
    """A file that is torn, a price that changed, a part that was added to a day."""
    before = lectr.odd(lab.root, now=NOW)
    file = lab.root / "cells" / "odd" / "2026-10-08.feature.parquet"
    data = file.read_bytes()
    match harm:
        case "torn":
            file.write_bytes(data[: len(data) // 2])
        case "empty":
            file.write_bytes(b"")
        case "gone":
            file.unlink()
        case "another price":
            (lab.root / "prices.toml").write_text(
                '[[price]]\nmodel = "gpt-4o-mini*"\ninput_usd_per_mtok = 9\n'
                "output_usd_per_mtok = 90\n"
            )
        case "another row":
            part = lab.day(date(2026, 10, 8)) / "a.parquet"
            rows = pl.read_parquet(part)
            rows.head(500).write_parquet(
                part.with_name("b.parquet"), metadata=file_metadata()
            )

    after = lectr.odd(lab.root, now=NOW)

    same(after, lectr.odd(lectr.scan(lab.root), now=NOW))
    assert file.stat().st_size > 1000
    dearer = (
        after.looked.cells["cost_usd"].sum() / before.looked.cells["cost_usd"].sum()
    )
    more = after.looked.cells["n"].sum() - before.looked.cells["n"].sum()
    assert (dearer > 20) == (harm == "another price")
    assert (more == 500) == (harm == "another row")


def test_a_folder_that_may_not_be_written_is_counted_in_memory(lab, monkeypatch):
    """And nothing is raised."""

    def refused(*_args, **_kwargs):
        raise PermissionError("read-only")

    monkeypatch.setattr(kept, "write_whole", refused)

    found = lectr.odd(lab.root, now=NOW)

    assert kept_days(lab) == {}
    assert len(found) >= 1


def test_who_asked_is_not_kept(lab):
    """Cells by user or session are counted anew each time."""
    lectr.odd(lab.root, by="user", now=NOW)

    assert not (lab.root / "cells" / "odd").exists()


def test_nothing_like_content_or_an_id_is_in_a_kept_file(lab):
    """Names, times and sums alone."""
    lectr.odd(lab.root, now=NOW)
    file = next((lab.root / "cells" / "odd").iterdir())

    kept_columns = pl.read_parquet_schema(file)

    texts = [name for name, kind in kept_columns.items() if kind == pl.String]
    assert texts == ["org", "feature", "provider", "model"]
    assert file.stat().st_mode & 0o077 == 0


def test_another_price_list_has_another_digest():
    """So that a day is counted again for it."""
    one = UserPrice(
        model="x", input_usd_per_mtok=Decimal(1), output_usd_per_mtok=Decimal(2)
    )

    assert kept.price_digest((one,)) != kept.price_digest(())

"""What is kept of closed days is what their files say, or it is counted again."""

import os
from datetime import UTC, date, datetime, timedelta
from random import Random

import polars as pl
import pytest
from cell_logs import event as made_event

from lectr_lab.analysis.cells import kept as keeping
from lectr_lab.analysis.cells.bins import apart, bins
from lectr_lab.analysis.cells.facts import KEYS, SUMS, added, facts, taught
from lectr_lab.analysis.cells.kept import count_closed, kept_facts, kept_months
from lectr_lab.analysis.cells.sets import KINDS
from lectr_lab.analysis.pricing.eras import era
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.schema import file_metadata, frame
from lectr_lab.log.upkeep.retain import retain

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
DAYS = [date(2026, 9, 29), date(2026, 9, 30), date(2026, 10, 2), date(2026, 11, 2)]


@pytest.fixture
def lab(tmp_path):
    """Parts of days in two months that are over, of one that runs, and of today."""
    folder = LabFolder.create(tmp_path / "lab")
    rng = Random(5)
    for day in [*DAYS, NOW.date()]:
        for name in ("a", "b"):
            write_part(folder, day, name * 32, rng)
    return folder


def write_part(lab, day, name, rng, n=40):
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    rows = frame([made_event(rng, [at], ("chat", None)) for _ in range(n)])
    lab.day(day).mkdir(exist_ok=True)
    path = lab.day(day) / f"{name}.parquet"
    rows.write_parquet(path, metadata=file_metadata())
    return path


def files_of_months(lab):
    return list((lab.root / "cells" / "months").iterdir())


def parts_of(lab):
    return sorted(lab.log.rglob("*.parquet"))


def said(found):
    """All that files say, in one order."""
    by_day = pl.col("started_at").dt.truncate("1d")
    sums = added(pl.scan_parquet(found.sums), at=by_day).collect()
    each = apart(pl.scan_parquet(found.bins)).collect()
    counts = each.group_by(pl.exclude("rows")).agg(pl.sum("rows"))
    told = taught(pl.scan_parquet(found.taught)).collect()
    return [
        one.sort(pl.all(), nulls_last=True)
        for one in (sums, counts, pl.read_parquet(found.rest), told)
    ]


def expected(parts):
    """The same, counted from the parts."""
    rows = pl.read_parquet(parts)
    sums, rest, told = facts(rows)
    by_day = pl.col("started_at").dt.truncate("1d")
    whole = added(sums.lazy(), at=by_day).collect()
    return [
        one.sort(pl.all(), nulls_last=True)
        for one in (whole, bins(rows).select(pl.exclude("rows"), "rows"), rest, told)
    ]


def by_month(parts, left):
    """Likewise, as a month says it."""
    sums, counts, *others = expected([part for part in parts if part not in left])
    begins = counts.with_columns(pl.col("at").dt.truncate("1mo"))
    month = begins.group_by(pl.exclude("rows")).agg(pl.sum("rows"))
    return [sums, month.sort(pl.all(), nulls_last=True), *others]


def at_any_time(found):
    """All that files say but when it was, and since when its prices held."""
    sums = added(pl.scan_parquet(found.sums), at=era()).collect()
    ends = sums.select(pl.col("first_at").min(), pl.col("last_at").max())
    counts = apart(pl.scan_parquet(found.bins)).group_by(pl.exclude("at", "rows"))
    told = taught(pl.scan_parquet(found.taught)).collect()
    return [
        one.sort(pl.all(), nulls_last=True)
        for one in (
            *(sums.drop("first_at", "last_at"), ends),
            *(counts.agg(pl.sum("rows")).collect(), pl.read_parquet(found.rest), told),
        )
    ]


def all_of_them(month):
    return True


def same(one, other):
    return all(a.equals(b.select(a.columns)) for a, b in zip(one, other, strict=True))


def files(lab):
    return {
        p.name: p.stat().st_mtime_ns for p in (lab.root / "cells").rglob("*.parquet")
    }


def test_closed_days_are_counted_once(lab):
    """Today's parts are left; what was kept is not counted again."""
    parts = parts_of(lab)
    first = kept_facts(lab, parts, now=NOW)
    before = files(lab)

    again = kept_facts(lab, parts, now=NOW)

    assert [len(getattr(first, kind)) for kind in KINDS] == [8] * 4
    assert first.left == [p for p in parts if p.parent == lab.day(NOW.date())]
    assert again == first
    assert files(lab) == before
    assert same(said(first), expected([p for p in parts if p not in first.left]))
    assert {p.stat().st_mode & 0o777 for p in first.sums} == {0o600}


def test_months_are_the_sum_of_their_days(lab):
    """Of the one that runs, of its closed days; what they do not stand for is left."""
    parts = parts_of(lab)

    found = kept_months(lab, parts, now=NOW)

    assert len(found.sums) == 3
    assert found.left == [p for p in parts if str(NOW.date()) in p.parent.name]
    assert same(said(found), by_month(parts, found.left))
    assert kept_months(lab, parts[1:], now=NOW).left[0] == parts[1]


def test_a_month_as_one_is_the_sum_of_its_days(lab):
    """Told apart only where prices change; and only where it is asked for."""
    parts = parts_of(lab)
    by_day = kept_months(lab, parts, now=NOW)

    as_one = kept_months(lab, parts, now=NOW, as_one=lambda month: month.month != 9)

    days, eras = pl.read_parquet(by_day.sums), pl.read_parquet(as_one.sums)
    same_kept = set(by_day.sums) & set(as_one.sums)
    assert {path.name[:7] for path in same_kept} == {"2026-09"}
    assert eras["started_at"].max() < days["started_at"].max()
    since = pl.max_horizontal(pl.col("started_at").dt.truncate("1mo"), era())
    again = [added(frame.lazy(), at=since).collect() for frame in (days, eras)]
    assert same([again[0].sort(pl.all())], [again[1].sort(pl.all())])


def test_months_that_are_over_are_one_set_for_who_asks_no_time(lab):
    """The one that runs stays beside it; a late part, and a day more, make another."""
    by_day = kept_months(lab, parts_of(lab), now=NOW)

    whole = kept_months(lab, parts_of(lab), now=NOW, as_one=all_of_them, as_whole=True)

    assert [path.parent.name for path in whole.sums] == ["whole", "months"]
    assert (whole.more, whole.left) == (1, by_day.left)
    assert same(at_any_time(whole), at_any_time(by_day))
    write_part(lab, DAYS[0], "c" * 32, Random(9))
    late = kept_months(lab, parts_of(lab), now=NOW, as_one=all_of_them, as_whole=True)
    assert same(
        at_any_time(late), at_any_time(kept_months(lab, parts_of(lab), now=NOW))
    )
    assert late.sums != whole.sums and late.sums[0].parent == whole.sums[0].parent
    december = NOW + timedelta(days=30)
    later = kept_months(lab, parts_of(lab), now=december, as_whole=True)
    assert (len(later.sums), later.more, later.left) == (1, 2, [])


def test_one_month_alone_is_no_whole(lab):
    """It would be the same again."""
    november = [part for part in parts_of(lab) if "date=2026-1" in str(part)]

    found = kept_months(lab, november, now=NOW, as_whole=True)

    assert [path.parent.name for path in found.sums] == ["months", "months"]
    assert not (lab.root / "cells" / "whole").exists()


def test_a_month_that_runs_is_added_up_again_each_day(lab):
    """What it was is left for a while, to a log that was opened before."""
    before = kept_months(lab, parts_of(lab), now=NOW)
    tomorrow = NOW + timedelta(days=1)

    after = kept_months(lab, parts_of(lab), now=tomorrow)

    assert not after.left and set(before.sums) - set(after.sums)
    assert all(path.exists() for path in before.sums)
    assert same(said(after), by_month(parts_of(lab), []))
    for path in before.sums + after.sums:
        os.utime(path, (0, 0))
    write_part(lab, DAYS[3], "c" * 32, Random(9))
    kept_months(lab, parts_of(lab), now=tomorrow)
    there = {*files_of_months(lab)} & {*before.sums, *after.sums}
    assert {path.name[:7] for path in there} == {"2026-09", "2026-10"}


@pytest.mark.parametrize("how", ["gone", "torn", "empty", "changed", "all gone"])
def test_what_is_torn_or_gone_is_counted_again(lab, how):
    """To the same figures."""
    parts = parts_of(lab)
    before = said(kept_facts(lab, parts, now=NOW))
    kept_months(lab, parts, now=NOW, as_one=all_of_them, as_whole=True)
    for nth, path in enumerate(sorted((lab.root / "cells").rglob("*.parquet"))):
        if (how == "gone" and nth % 3 == 0) or how == "all gone":
            path.unlink()
        elif how == "torn":
            path.write_bytes(path.read_bytes()[: -1 - nth])
        elif how == "empty":
            path.write_bytes(b"")
        elif how == "changed":
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 1
            path.write_bytes(bytes(data))

    after = kept_facts(lab, parts, now=NOW)
    months = kept_months(lab, parts, now=NOW)
    whole = kept_months(lab, parts, now=NOW, as_one=all_of_them, as_whole=True)

    assert same(said(after), before)
    assert same(said(months), by_month(parts, months.left))
    assert same(at_any_time(whole), at_any_time(months))


def test_a_part_that_is_another_is_counted_anew(lab):
    """Its name, size or sum is another; a late part is one part more."""
    parts = parts_of(lab)
    kept_facts(lab, parts, now=NOW)
    before = files(lab)
    parts[0].unlink()
    write_part(lab, DAYS[0], "c" * 32, Random(9), n=7)
    write_part(lab, DAYS[1], "a" * 32, Random(9), n=7)

    found = kept_facts(lab, parts_of(lab), now=NOW)

    assert same(
        said(found), expected([p for p in parts_of(lab) if p not in found.left])
    )
    assert len(files(lab).keys() - before.keys()) == 8
    assert not [
        name
        for name in files(lab)
        if name.startswith(parts[0].stem) and "09-29" in name
    ]
    assert len(list((lab.root / "cells/facts/2026-09-29").iterdir())) == 8


def test_other_prices_change_nothing_and_other_lengths_all(lab, monkeypatch):
    """No price is in a key; the lengths and times at which prices change are."""
    parts = parts_of(lab)
    kept_facts(lab, parts, now=NOW)
    before = files(lab)

    monkeypatch.setattr(keeping, "lengths", lambda: [7])
    found = kept_facts(lab, parts, now=NOW)

    assert len(found.sums) == 8
    assert not {path.name for path in found.sums} & before.keys()


def test_what_may_not_be_written_is_left(lab):
    """The rows are read then, and nothing fails."""
    parts = parts_of(lab)
    (lab.root / "cells").write_text("a file in the place of the folder")

    assert kept_facts(lab, parts, now=NOW).left == parts
    assert kept_months(lab, parts, now=NOW).left == parts


def test_a_day_with_something_in_the_journal_is_open(lab):
    """It may be sealed into another part at any time."""
    lab.segment(DAYS[0], "d" * 32).write_bytes(b"")

    found = kept_facts(lab, parts_of(lab), now=NOW)

    assert {part.parent for part in found.left} == {
        lab.day(DAYS[0]),
        lab.day(NOW.date()),
    }


def test_all_is_counted_at_once(lab):
    """As after a compaction."""
    count_closed(lab, now=NOW)

    assert len(files_of_months(lab)) == 3 * 7
    assert len(files(lab)) == 3 * 7 + 8 * 4 + 4  # and those that are over, as one


def test_nothing_of_a_day_that_is_deleted_stays(lab):
    """Retention takes what was counted of it, too."""
    count_closed(lab, now=NOW)

    retain(lab, max_age_days=10, today=NOW.date())

    assert [p.name for p in (lab.root / "cells/facts").iterdir()] == ["2026-11-02"]
    assert {path.name[:7] for path in files_of_months(lab)} == {"2026-11"}
    assert list((lab.root / "cells/whole").iterdir()) == []


def test_nobody_who_asked_is_in_a_file(lab):
    """Counts and names, and nothing that tells one request from another."""
    count_closed(lab, now=NOW)

    for path in (lab.root / "cells").rglob("*.parquet"):
        assert "canary" not in repr(pl.read_parquet(path).rows())
    assert {*KEYS, *SUMS} == {
        *pl.read_parquet(next((lab.root / "cells").rglob("*.sums.*"))).columns
    }

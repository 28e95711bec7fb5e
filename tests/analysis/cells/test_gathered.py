"""Which files of cells stand for a log."""

from datetime import date
from random import Random
from shutil import rmtree

import polars as pl
import pytest
from cell_logs import DAYS, event

from lectr_lab.analysis.cells.gathered import NONE, Gathered, Wanted
from lectr_lab.analysis.cells.log_files import LabFiles
from lectr_lab.log.scan import snapshot
from lectr_lab.log.schema import frame

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
N = 20


@pytest.fixture
def lab(tmp_path):
    """A file on each of eight days of two months."""
    for day in DAYS:
        folder = tmp_path / "log" / f"date={day.date()}"
        folder.mkdir(parents=True)
        some = [event(Random(n), [day], ["chat"]) for n in range(N)]
        frame(some).write_parquet(folder / "a.parquet")
    return tmp_path


def gathered(lab):
    return Gathered(LabFiles(snapshot(lab)))


def moments(found):
    """How many requests each moment of its cells stands for, and all of them."""
    cells = pl.concat(found.cells).group_by("started_at").agg(pl.col("rows").sum())
    rest = pl.concat(found.rest).select(pl.len()).collect().item()
    by_moment = dict(cells.collect().iter_rows())
    return by_moment, sum(by_moment.values()) + rest


@pytest.mark.parametrize(
    "wanted, moments_at_most",
    [
        (Wanted(None), 96 * len(DAYS)),
        (Wanted(NONE), len(DAYS)),
        (Wanted(NONE, cut=frozenset({OCTOBER})), len(DAYS)),
        (Wanted(NONE, cut=NONE), 6),
        (Wanted(NONE, cut=NONE, as_whole=True), 6),
        (Wanted(NONE, days=frozenset({DAYS[1].date()})), 96 + len(DAYS)),
    ],
)
def test_each_request_is_in_one_file_that_is_read(lab, wanted, moments_at_most):
    """By quarters, days, or months as one; told apart no further than is wanted."""
    by_moment, n = moments(gathered(lab).of(wanted))

    assert n == N * len(DAYS)
    assert len(by_moment) <= moments_at_most


def test_only_a_day_that_is_cut_is_read_by_quarters(lab):
    """Others of its month are read as days."""
    cut = DAYS[1].date()

    found = gathered(lab).of(Wanted(NONE, days=frozenset({cut})))

    by_moment, _ = moments(found)
    midnight = {at for at in by_moment if (at.hour, at.minute) == (0, 0)}
    assert {at.date() for at in set(by_moment) - midnight} == {cut}
    assert found.words == "2 months, 8 files of a day in cells; 0 rows."


def test_what_no_question_of_time_tells_apart_is_one_file(lab):
    """Who is asked about by feature reads the same, where features have their names."""
    known = gathered(lab)
    wanted = Wanted(NONE, cut=NONE, as_whole=True)

    found = known.of(wanted)

    assert [path.parent.name for path in found.months] == ["whole"]
    assert found.words == "2 months in cells; 0 rows."
    assert known.of(wanted._replace(by_feature=True)) is found


def test_bins_are_read_by_days_of_a_month_that_a_time_cuts(lab):
    """And of that month alone; each once."""
    known, wanted = gathered(lab), Wanted(NONE, cut=frozenset({OCTOBER}))
    found = known.of(wanted)

    def counts(cut):
        bins = pl.concat(known.bins(found, wanted, cut, by_week=False)).collect()
        at = bins.select(pl.col("at").dt.date().unique().sort()).to_series()
        return at.to_list(), bins["rows"].sum()

    months, n = counts(NONE)
    days, same = counts(frozenset({DAYS[1].date()}))
    assert (months, same) == ([OCTOBER, NOVEMBER], n)
    in_october = [day.date() for day in DAYS if day.month == 10]
    assert {*days} == {*in_october, NOVEMBER}


def test_where_quarters_cannot_be_kept_the_month_is_read_as_rows(lab):
    """Months are there, their days are not, and nothing can be written."""
    gathered(lab).of(Wanted(NONE))
    facts = lab / "cells" / "facts"
    rmtree(facts)
    facts.write_text("in the way")

    found = gathered(lab).of(Wanted(NONE, days=frozenset({DAYS[1].date()})))

    assert found is None or moments(found)[1] == N * len(DAYS)


def test_what_was_found_is_not_looked_for_again(lab):
    """Nor is what all of it teaches."""
    known = gathered(lab)
    wanted = Wanted(NONE)

    assert known.of(wanted) is known.of(wanted)
    assert known.ratios is known.ratios

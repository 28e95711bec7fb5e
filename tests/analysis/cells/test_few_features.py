"""A service that names a feature for each request does not make a cell of each row."""

from datetime import UTC, datetime, timedelta
from random import Random

import polars as pl
import pytest
from cell_logs import event
from polars.testing import assert_frame_equal

from lectr_lab.analysis.cells.few_features import (
    MOST_FEATURES,
    OTHERS,
    with_few_features,
)
from lectr_lab.analysis.scan import scan
from lectr_lab.analysis.views.health import errors, latency
from lectr_lab.analysis.views.spend import spend, tokens
from lectr_lab.core.formatting import count
from lectr_lab.log.schema import frame

DAY = datetime(2026, 10, 3, tzinfo=UTC)
ROWS = MOST_FEATURES + 500


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A day of a name per request, and one as usual."""
    folder, rng = tmp_path_factory.mktemp("lab"), Random(8)
    for n, names in enumerate([[f"f-{i}" for i in range(ROWS)], ["chat"] * 100]):
        day = DAY + timedelta(days=n)
        part = folder / "log" / f"date={day.date()}"
        part.mkdir(parents=True)
        frame([event(rng, [day], [name]) for name in names]).write_parquet(
            part / "one.parquet"
        )
    return folder


def test_the_most_used_keep_their_names():
    """The first by name of those that are used alike; who named none stays so."""
    names = ["b"] * 2 + [f"x-{i:05}" for i in range(MOST_FEATURES)] + [None]
    log = pl.DataFrame({"org": "o", "feature": names})

    found, lost = with_few_features(log)

    assert lost and found["feature"][:3].to_list() == ["b", "b", "x-00000"]
    assert found["feature"].to_list()[-2:] == [OTHERS, None]
    assert found["feature"].n_unique() == MOST_FEATURES + 2
    few = log.head(5)
    assert with_few_features(few)[0] is few and not with_few_features(few)[1]


@pytest.mark.parametrize("view", [spend, tokens, errors, latency])
@pytest.mark.parametrize("by", ["feature", "model", ["feature", "day"]])
def test_no_figure_changes(lab, view, by):
    """Asked by feature, rows say it; all else, cells."""
    log = scan(lab)
    named = {"percentiles": "binned"} if view is latency else {}

    found = view(log, by, **named).collect()

    expected = view(log.lazy(), by, **named).collect()
    assert_frame_equal(found, expected, check_row_order=False, check_exact=True)


def test_one_of_them_can_be_asked_for(lab):
    """By its name, though cells do not have it."""
    log = scan(lab).select(feature=f"f-{ROWS - 1}")

    assert spend(log).collect()["requests"].item() <= 1
    assert_frame_equal(spend(log).collect(), spend(log.lazy()).collect())


def test_rows_are_read_for_names_alone(lab):
    """Of the day that has too many."""
    log = scan(lab)

    assert log.explain(spend, "model").endswith("in cells; 0 rows.")
    by_name = log.explain(spend, "feature")
    assert (
        by_name
        == f"1 file of a day in cells; {count(log.select(until='2026-10-03').n_rows())} rows."
    )
    assert len(list(lab.glob("cells/facts/*/*.few.sums.*"))) == 1
    assert len(list(lab.glob("cells/months/*.few.sums.*"))) == 1

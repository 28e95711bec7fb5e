"""What may be given for a log."""

import inspect
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import lectr_lab as lectr
from lectr_lab.analysis.given_log import NEEDED, as_log
from lectr_lab.analysis.log import Log
from lectr_lab.analysis.views.spend import spend
from lectr_lab.core.errors import LabError
from lectr_lab.log.schema import polars_schema
from lectr_lab.resources import shipped_traffic

DEMO = shipped_traffic()
# What a function needs beside the log.
BESIDE = {
    "simulate": (lectr.Rule(name="a", priority=1, then=lectr.RuleTarget(model="x")),),
    "reconcile": (lectr.demo_log(),),
    "session": ("inferred-0",),
    "assert_budget": (),
}
NAMED = {"assert_budget": {"usd_total": 1e6}}
TAKING = [
    name
    for name in lectr.__all__
    if inspect.isfunction(of := getattr(lectr, name))
    and next(iter(inspect.signature(of).parameters), None) == "log"
]
NO_LOGS = {
    "a view": lectr.spend(DEMO),
    "a view's rows": lectr.spend(lectr.demo_log().head(9)).collect(),
    "requests of one": lectr.dearest(DEMO),
    "another frame": pl.DataFrame({"a": [1]}),
    "a list": [1, 2],
    "nothing": None,
}


def asked(name: str, log: object) -> object:
    """What a public function gives, with its query run where it is one."""
    found = getattr(lectr, name)(log, *BESIDE.get(name, ()), **NAMED.get(name, {}))
    return found.collect() if isinstance(found, Log | pl.LazyFrame) else found


def test_there_are_functions_that_take_a_log():
    """The law below is of something."""
    assert len(TAKING) > 15 and {"spend", "compare", "dashboard"} <= {*TAKING}


@pytest.mark.parametrize("what", NO_LOGS)
@pytest.mark.parametrize("name", TAKING)
def test_what_is_no_log_gets_one_sentence(name, what):
    """Every public function that takes a log says so, in the same words."""
    if (name, what) == ("odd", "nothing"):
        return  # one's own log, then
    with pytest.raises(LabError) as told:
        asked(name, NO_LOGS[what])

    assert str(told.value).startswith("This takes a log: ")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("name", TAKING)
def test_a_folder_that_is_not_there_is_named(name, tmp_path):
    """As a path or as a text."""
    for folder in (tmp_path / "no-such-lab", str(tmp_path / "no-such-lab")):
        with pytest.raises(LabError, match="no-such-lab"):
            asked(name, folder)


@pytest.mark.parametrize("name", [n for n in TAKING if n != "session"])
def test_rows_and_the_folder_are_taken_as_the_log_is(name, few):
    """Each gives what the lazy log gives."""
    lazy, folder = few
    usual = asked(name, lazy)

    for given in (lazy.lazy(), lazy.collect(), str(folder)):
        found = asked(name, given)
        if isinstance(usual, pl.DataFrame):
            assert_frame_equal(found, usual, check_row_order=name != "select")
        else:
            assert type(found) is type(usual)


@pytest.fixture(scope="module")
def few(tmp_path_factory) -> tuple[Log, Path]:
    """Of the made-up traffic a day, so that each function is quick; and its folder."""
    folder = tmp_path_factory.mktemp("lab")
    day = pl.read_parquet(DEMO / "*.parquet").sort("started_at").tail(400)
    (folder / "log" / "date=2026-11-22").mkdir(parents=True)
    day.write_parquet(folder / "log" / "date=2026-11-22" / "one.parquet")
    return lectr.scan(folder), folder


def test_a_frame_of_another_library_is_taken():
    """Pandas and pyarrow, with the figures of the log itself."""
    rows = lectr.demo_log().head(300).collect()
    usual = spend(rows).collect()

    for given in (rows.to_pandas(), rows.to_arrow()):
        assert_frame_equal(spend(given).collect(), usual, check_row_order=False)


def test_the_parquet_files_alone_are_priced():
    """They hold facts and no cost; read as scan reads them, they cost the same."""
    raw = pl.scan_parquet(DEMO / "*.parquet")

    assert "cost_usd" not in raw.collect_schema().names()
    assert_frame_equal(spend(raw).collect(), spend(DEMO).collect())


def test_the_columns_of_a_log_are_columns_of_a_log():
    """Else no log would be one."""
    assert {*NEEDED} <= {*polars_schema()}


def test_a_cost_of_ones_own_stays():
    """Whoever prices rows in another way keeps that."""
    log = lectr.demo_log().head(5).with_columns(cost_usd=pl.lit(2.0))

    assert as_log(log).collect()["cost_usd"].to_list() == [2.0] * 5

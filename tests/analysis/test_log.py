"""A log that knows its folder."""

import copy
import pickle
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import lectr_lab as lectr
from lectr_lab.analysis.log import Log
from lectr_lab.analysis.scan import scan
from lectr_lab.analysis.views.spend import spend
from lectr_lab.core.errors import LabError
from lectr_lab.log.schema import frame

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
MINE = '[[price]]\nmodel = "*"\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 0\n'


@pytest.fixture
def lab(tmp_path, event) -> Path:
    """Three days of two features, a part a day."""
    for day in range(3):
        part = tmp_path / "log" / f"date=2026-11-0{2 + day}" / "part.parquet"
        part.parent.mkdir(parents=True)
        at = NOON + timedelta(days=day)
        named = [event(started_at=at, feature=one) for one in ("chat", None, "billing")]
        frame(named).write_parquet(part)
    return tmp_path


def features(rows: pl.LazyFrame) -> list[str | None]:
    return rows.sort("started_at", "feature").collect()["feature"].to_list()


def same(one: pl.LazyFrame, other: pl.LazyFrame) -> None:
    assert_frame_equal(one.collect(), other.collect(), check_row_order=False)


def test_it_is_used_as_a_lazy_frame(lab):
    """Every method that polars has gives what it gives of the rows."""
    log = scan(lab)
    rows = log.lazy()

    same(log.filter(pl.col("feature") == "chat"), rows.filter(feature="chat"))
    same(log.group_by("feature").agg(pl.len()), rows.group_by("feature").agg(pl.len()))
    same(log.select("org", "cost_usd"), rows.select("org", "cost_usd"))
    same(log.select(n=pl.len()), rows.select(n=pl.len()))
    assert log.collect().height == 9
    assert log.collect_schema() == rows.collect_schema()
    assert log[:2].collect().height == 2
    with pytest.warns(pl.exceptions.PerformanceWarning):
        assert "cost_usd" in log
    with pytest.raises(TypeError):
        bool(log)
    public = {one for one in dir(pl.LazyFrame) if not one.startswith("_")}
    assert public <= {*dir(log)}


@pytest.mark.parametrize(
    "method", [one for one in dir(pl.LazyFrame) if not one.startswith("_")]
)
@pytest.mark.filterwarnings("ignore::polars.exceptions.PerformanceWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_each_method_of_a_lazy_frame_is_there(lab, method):
    """By its name, with its own documentation."""
    log = scan(lab)
    own = method in ("select", "lazy", "explain")

    found, usual = getattr(log, method), getattr(log.lazy(), method)
    assert own or type(found) is type(usual)
    assert own or found.__doc__ == usual.__doc__


def test_it_is_no_lazy_frame_and_says_so(lab):
    """Who asks its type is told the truth; its rows are one method away."""
    log = scan(lab)

    assert not isinstance(log, pl.LazyFrame) and log.__class__ is Log
    assert isinstance(log.lazy(), pl.LazyFrame)
    assert pl.concat([log.lazy(), log.lazy()]).collect().height == 18


def test_a_name_that_neither_has_is_told(lab):
    """As by polars; and nothing private is passed on."""
    log = scan(lab)
    with pytest.raises(AttributeError, match="no_such"):
        log.no_such  # noqa: B018
    with pytest.raises(AttributeError, match="_ldf"):
        log._ldf  # noqa: B018


@pytest.mark.parametrize(
    "wanted, expected",
    [
        ({"feature": "chat"}, ["chat"] * 3),
        ({"feature": ["chat", "untagged"], "since": "2026-11-04"}, [None, "chat"]),
        ({"until": "2026-11-02"}, [None, "billing", "chat"]),
        ({"org": "another"}, []),
        ({"feature": None, "since": "2026-11-04"}, [None, "billing", "chat"]),
        ({"since": "24h", "now": NOON + timedelta(days=2, hours=1)}, [None, "chat"]),
    ],
)
def test_names_and_times_narrow_it(lab, wanted, expected):
    """What is left is a log again, the same as `select` gives; asked twice, what fits both."""
    log = scan(lab)
    if "now" in wanted:
        log = log.select(feature=["chat", "untagged"])

    found = log.select(**wanted)

    assert type(found) is Log and found.lab == lab
    assert features(found.lazy()) == expected
    same(found.lazy(), lectr.select(log.lazy(), **wanted))
    same(found.lazy(), lectr.select(log, **wanted).lazy())


def test_narrowed_twice_it_is_what_fits_both(lab):
    """Names and times alike, in any order."""
    whole = scan(lab)
    first, second = (
        {"feature": ["chat", "billing"]},
        {"since": "2026-11-03..2026-11-03"},
    )

    found = whole.select(**first).select(**second).select(feature=["chat", "x"])

    assert features(found.lazy()) == ["chat"]
    same(found.lazy(), whole.select(feature="chat").select(**second).lazy())
    assert features(whole.select(since="2026-11-04").select(until="2026-11-02")) == []


def test_a_column_of_its_own_name_is_selected_as_polars_does(lab):
    """An expression under the name of an option makes a column."""
    found = scan(lab).select(org=pl.col("org").str.to_uppercase()).unique().collect()

    assert found.to_dict(as_series=False) == {"org": ["LOCAL"]}


def test_a_time_that_cannot_be_read_is_told(lab):
    """As by `select`."""
    with pytest.raises(LabError, match="is not a time"):
        scan(lab).select(since="last week")


def test_views_take_it_and_its_parts(lab):
    """With the figures of its rows."""
    log = scan(lab).select(feature="chat")

    same(spend(log), spend(log.lazy()))
    assert spend(log).collect()["requests"].to_list() == [3]


def counted(day: pl.LazyFrame) -> tuple[int, float]:
    """A question of one's own."""
    return day.select(pl.len(), pl.col("cost_usd").sum()).collect().row(0)


def test_a_question_is_asked_of_each_day(lab):
    """In the order of days, of what was selected; also by other processes."""
    log = scan(lab).select(feature=["chat", "billing"], until="2026-11-03")

    found = log.map(counted)

    assert [n for n, _ in found] == [2, 2, 0]
    assert sum(usd for _, usd in found) == pytest.approx(counted(log.lazy())[1])
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert log.map(counted, pool) == found


def test_of_a_folder_of_parts_alone_it_is_asked_once(lab):
    """There are no days; nor are there others where one was asked for."""
    bare = scan(lab / "log" / "date=2026-11-02")

    assert [n for n, _ in bare.map(counted)] == [3]
    assert [n for n, _ in scan(lab, day=NOON.date()).map(counted)] == [3]


def test_it_goes_to_other_processes(lab):
    """With its part and prices; there it is opened anew."""
    (lab / "prices.toml").write_text(MINE)
    log = scan(lab).select(feature="chat", since="2026-11-03")

    again = pickle.loads(pickle.dumps(log))

    assert type(again) is Log and repr(again) == repr(log)
    same(again.lazy(), log.lazy())
    assert {*again.collect()["price_source"]} == {"user"}
    assert copy.copy(log) is log and copy.deepcopy(log) is log


def test_it_says_what_it_is_and_runs_no_query(lab):
    """A debugger may ask; names of others cannot steer a terminal."""
    log = scan(lab).select(feature=["chat", "b\x1b[31m", "c", "d"], until="2026-11-03")

    assert repr(scan(lab)) == f"<Log of {lab}; .lazy() has its rows>"
    assert repr(log).startswith(f"<Log of {lab}, feature chat, ")
    assert "and 1 more, before 2026-11-04 00:00 UTC; " in repr(log)
    assert "\x1b" not in repr(log)
    assert "files of 2026-11-02" in repr(scan(lab, day=NOON.date()))


def test_what_a_view_reads_is_told(lab):
    """In words; without a view, it is polars' plan."""
    log = scan(lab)

    told = log.explain(lectr.spend, "model", every="1d")
    assert told == "1 month in cells; 0 rows."
    by_hour = log.explain(lectr.spend, "model", every="1h")
    assert by_hour == "3 files of a day in cells; 0 rows."
    assert log.explain(lectr.spend, "session") == "All rows."
    assert scan(lab, day=NOON.date()).explain(spend) == "All rows of 2026-11-02."
    assert log.explain(lambda _: None) == "Nothing of the log."
    assert "Parquet SCAN" in log.explain()
    assert "Parquet SCAN" in log.explain(optimized=False)


def test_a_cell_shows_it_as_a_table(lab):
    """With what was shown of the log before it was more than its rows."""
    log = lectr.scan(lab)

    assert "<table" in log._repr_html_()
    assert {"text/plain", "text/html"} <= {*log._repr_mimebundle_()}
    narrowed = pickle.loads(pickle.dumps(log.select(feature="chat")))
    assert "chat" in narrowed._repr_html_() and "billing" not in narrowed._repr_html_()
    assert "chat" in log.filter(feature="chat")._repr_html_()

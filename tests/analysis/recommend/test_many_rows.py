"""A log of many rows: its cells advise what its rows advise."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from cell_logs import lab_of, user_prices
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from lectr_lab.analysis import newest
from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.recommend import recommend
from lectr_lab.analysis.recommend.many_rows import many_rows
from lectr_lab.analysis.recommend.reprice import repriced
from lectr_lab.analysis.recommend.result import Recommendations
from lectr_lab.analysis.recommend.signals import KEYS
from lectr_lab.analysis.scan import demo_log, scan
from lectr_lab.analysis.views import percentiles
from lectr_lab.core.pricing.price import UserPrice

TARGETS = ["gpt-4o-mini", "gpt-5.4", "deepseek-chat", "sonar-pro", "nobody-knows"]
TARGETS += ["google/gemini-2.5-flash", "our-own"]
TODAY = date(2026, 11, 24)
SELECTED = [{}, {"org": "acme"}, {"since": "2026-10-31T10:00:00.000001"}]
SELECTED += [{"model": "gpt-4o"}]
NO_SHRINK = (Phase.explicit, Phase.reuse, Phase.generate)  # a step takes seconds
LAW = settings(
    max_examples=8,
    deadline=None,
    phases=NO_SHRINK,
    suppress_health_check=[HealthCheck.too_slow],
)


def changes_of(groups: pl.DataFrame, rng: Random) -> pl.DataFrame:
    """Of each group to one or two targets, some of which reason anew."""
    rows = [
        (*key, target, rng.random() < 0.3)
        for key in groups.select(KEYS).iter_rows()
        for target in rng.sample(TARGETS, 2)
    ]
    kinds = dict.fromkeys([*KEYS, "to_model"], pl.String()) | {
        "reasons_anew": pl.Boolean()
    }
    return pl.DataFrame(rows, kinds, orient="row")


def law(seed, prices, selected) -> None:
    """Groups, days and what each change would cost."""
    with TemporaryDirectory() as folder:
        log = scan(lab_of(Path(folder), seed, rows=400), prices)
        part = log.select(**selected) if selected else log
        # Rows are priced once, for all that is asked of them.
        found, expected = many_rows(part), many_rows(part.lazy().collect().lazy())
        order = {"check_row_order": False, "check_column_order": False}
        assert found.edges.equals(expected.edges)
        assert_frame_equal(found.groups, expected.groups, rel_tol=1e-9, **order)
        changes = changes_of(found.groups.sort(KEYS, nulls_last=True), Random(seed))
        costs = [
            one.repriced(changes, TODAY, prices).sort(*KEYS, "to_model", "day")
            for one in (found, expected)
        ]
        assert_frame_equal(*costs, rel_tol=1e-9)


@LAW
@given(st.integers(0, 2**32), user_prices, st.sampled_from(SELECTED))
def test_cells_say_what_rows_say(seed, prices, selected):
    """Of any part, at any prices."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(newest, "MOST_LOOKED_AT", 60)
        law(seed, prices, selected)


@pytest.mark.slow
@settings(LAW, max_examples=20)
@given(st.integers(0, 2**32), user_prices, st.sampled_from(SELECTED))
def test_many_logs_and_prices(seed, prices, selected):
    """The same law, further."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(newest, "MOST_LOOKED_AT", 60)
        law(seed, prices, selected)


@pytest.fixture
def every_log_is_long(monkeypatch):
    """From the first row on; and all of it is looked at."""
    monkeypatch.setattr(percentiles, "MOST_EXACT_ROWS", 0)


def figures(found: Recommendations) -> list[dict]:
    """Of each recommendation, without its reasons."""
    return found.frame().drop("reasons").to_dicts()


def test_a_long_log_advises_what_it_advises_row_by_row(monkeypatch):
    """Where all of it is looked at, to the last digit."""
    exact = recommend(demo_log())
    monkeypatch.setattr(percentiles, "MOST_EXACT_ROWS", 0)

    found = recommend(demo_log())

    assert [one.reasons for one in found] == [one.reasons for one in exact]
    assert found.notes == exact.notes
    assert_frame_equal(found.frame(), exact.frame(), rel_tol=1e-9)


def test_what_is_read(every_log_is_long, tmp_path):
    """Cells, and the newest rows, of an org too."""
    log = scan(lab_of(tmp_path, 3))

    for org in (None, "acme"):
        told = log.explain(recommend, org=org)
        assert "in cells; 0 rows. Rows from" in told
        assert "All rows." not in told
    found, rows = recommend(log), recommend(log.lazy())
    assert found.notes == rows.notes
    assert figures(found) == [pytest.approx(one) for one in figures(rows)]


def test_what_requests_look_like_is_told_by_the_newest(every_log_is_long, monkeypatch):
    """Of how many is said; a group without a new request is passed over."""
    monkeypatch.setattr(newest, "MOST_LOOKED_AT", 3_000)

    found = recommend(demo_log())

    told = [reason for one in found for reason in one.reasons]
    assert any("is told by the newest" in reason for reason in told)
    monkeypatch.setattr(newest, "MOST_LOOKED_AT", 1)
    kinds = {one.kind for one in recommend(demo_log()).passed_over}
    assert "not among the newest requests" in kinds


def test_counts_of_all_rows_say_what_is_used(
    every_log_is_long, monkeypatch, log_of, event
):
    """An old picture counts, and an old prompt that passed a length of the price list."""
    monkeypatch.setattr(newest, "MOST_LOOKED_AT", 1)
    start = event().started_at
    old = event(input_tokens=200_001, input_image_tokens=5, started_at=start)
    new = event(started_at=start + timedelta(days=1))

    [group] = many_rows(priced(log_of([old, new]))).groups.to_dicts()

    assert (group["requests"], group["looked_requests"]) == (2, 1)
    assert group["uses_images"] and not group["uses_audio"]
    assert group["input_most_tokens"] == 200_001


@pytest.mark.parametrize("then, now", [("0.9", "0.1"), ("0.1", "0.9")])
def test_the_dearer_counts_of_all_that_are_billed_alike(log_of, event, then, now):
    """Each row by itself says the same where all prices went one way."""
    october = date(2026, 10, 1)
    own = tuple(
        UserPrice(
            model="gpt-4o-mini",
            input_usd_per_mtok=Decimal(usd),
            output_usd_per_mtok=Decimal(usd),
            **days,
        )
        for usd, days in ((then, {"last_day": october}), (now, {}))
    )
    names = dict.fromkeys(("model_actual", "model_sent", "model_requested"), "gpt-4o")
    at = datetime(2026, 9, 20, 3, 30, tzinfo=UTC)
    log = priced(
        log_of([event(**names, input_tokens=n, started_at=at) for n in (10, 10**6)])
    )
    many = many_rows(log)
    change = changes_of(many.groups, Random(1)).head(1)
    change = change.with_columns(to_model=pl.lit("gpt-4o-mini"))

    found = many.repriced(change, TODAY, own)

    assert found["days"].to_list() == [1]
    assert_frame_equal(
        found.drop("days"),
        repriced(log, change, TODAY, own).collect(),
        check_dtypes=False,
    )

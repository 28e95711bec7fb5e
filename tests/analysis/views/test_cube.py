"""What a dashboard filters."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.analysis.cells.bins import apart, histograms, of_total
from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.views import cube
from lectr_lab.analysis.views.cube import GROWTH, Leaders
from lectr_lab.analysis.views.health import errors, latency
from lectr_lab.analysis.views.spend import spend
from lectr_lab.core.errors import LabError
from lectr_lab.core.event import Event
from lectr_lab.log.schema import frame

START = datetime(2026, 11, 2, 9, tzinfo=UTC)

requests = st.lists(
    st.fixed_dictionaries(
        {
            "feature": st.sampled_from(["a", "b", "c", None]),
            "model_actual": st.sampled_from(["gpt-4o-mini", "unheard-of"]),
            "outcome": st.sampled_from(["ok", "timeout", "client_disconnect"]),
            "total_ms": st.floats(0, 1e7),
            "input_tokens": st.none() | st.integers(0, 10**6),
            "started_at": st.integers(0, 10**6).map(
                lambda s: START + timedelta(seconds=s)
            ),
        }
    ),
    max_size=30,
)
LEADERS = Leaders((("local", "a"), ("local", None)), (("openai", "gpt-4o-mini"),))


def log_of(fields: list[dict]) -> pl.LazyFrame:
    common = {"org": "local", "provider": "openai", "path": "/v1/chat/completions"}
    common |= {
        "outcome": "ok",
        "operation": "chat",
        "output_tokens": 5,
        "token_source": "provider",
    }
    events = [
        Event(event_id=i.to_bytes(16, "big"), **(common | one))
        for i, one in enumerate(fields)
    ]
    return priced(frame(events).lazy())


def counted(log: pl.LazyFrame, every: str = "1d") -> list[pl.DataFrame]:
    return pl.collect_all(cube.cube(cube.placed(log, LEADERS, every, "UTC")))


@given(requests)
def test_a_cube_sums_to_what_the_views_say(fields):
    """Spend, requests, what has no price, errors: the same rows, counted the same."""
    log = log_of(fields)

    sums, _ = counted(log)

    money = spend(log, None).collect()
    failed = errors(log, None).collect()
    for name in ("requests", "unpriced", "uncounted", "estimated", "priced"):
        assert sums[name].sum() == money[name].sum()
    assert sums["spend_usd"].sum() == pytest.approx(money["spend_usd"].sum() or 0)
    assert sums["errors"].sum() == failed["errors"].sum()
    assert (
        sums.filter(pl.col("why").is_not_null())["errors"].sum() == sums["errors"].sum()
    )


@given(requests, requests)
def test_cubes_of_parts_add_up(first, second):
    """A day that is over is counted once."""
    parts = [counted(log_of(part)) for part in (first, second)]
    whole = counted(log_of(first + second))

    for a, b, both, value in zip(*parts, whole, ["requests", "n"], strict=True):
        keys = [k for k in (*cube.KEYS, "bin") if k in both.columns]
        added = pl.concat([a, b]).group_by(keys).agg(pl.col(value).sum()).sort(keys)
        assert added.rows() == both.select(*keys, value).sort(keys).rows()


def test_what_lies_in_a_bin_lies_there_however_many_are_counted():
    """As many at once or each alone, the shortest in the first."""
    within = [{"total_ms": GROWTH ** (n + 0.5), "outcome": "ok", "started_at": START}
              for n in range(50)]  # fmt: skip
    short = {"total_ms": 0.0, "outcome": "ok", "started_at": START}

    assert counted(log_of(within))[1].sort("bin")["bin"].to_list() == [*range(50)]
    assert [counted(log_of([one]))[1]["bin"].item() for one in within] == [*range(50)]
    assert counted(log_of([short]))[1]["bin"].item() == cube.FIRST_BIN


@given(st.lists(st.floats(0.01, 1e8), min_size=1, max_size=50))
def test_a_bins_middle_is_within_two_per_cent(times_ms):
    """Of every duration in it."""
    for ms in times_ms:
        _, bins = counted(log_of([{"total_ms": ms, "outcome": "ok",
                                      "started_at": START}]))  # fmt: skip
        middle = GROWTH ** (bins["bin"].item() + 0.5)
        assert middle == pytest.approx(ms, rel=0.0205)


@given(st.lists(st.floats(0, 1e7), min_size=1, max_size=40))
def test_bins_that_were_counted_before_are_those_of_the_rows(times_ms):
    """Of a page, as of closed days: the same requests in the same bins."""
    log = log_of([{"total_ms": ms, "outcome": "ok", "started_at": START}
                  for ms in times_ms])  # fmt: skip
    kept = of_total(histograms(log.collect()).lazy())
    before = apart(kept.lazy()).rename({"at": "started_at", "model": "model_actual"})
    before = before.with_columns(model_sent=None, model_requested=None)
    columns = [*cube.KEYS, "bin", "n"]

    found = cube.counted_bins(before, LEADERS, "1d", "UTC").select(columns).collect()

    _, rows = counted(log, every="1d")
    assert found.sort(columns).rows() == rows.select(columns).sort(columns).rows()


def test_a_request_that_failed_has_a_cell_that_says_why():
    """By the provider's word for it, else by its status, else by how it ended."""
    failed = [
        {"error_type": "overloaded", "outcome": "provider_error"},
        {"status": 529, "outcome": "provider_error"},
        {"outcome": "timeout"},
        {"outcome": "provider_error"},
        {"error_type": "unheard", "outcome": "ok"},
    ]

    sums, _ = counted(
        log_of([{"started_at": START, "total_ms": 1.0} | f for f in failed])
    )

    assert sorted(map(str, sums["why"])) == [
        "None",
        "overloaded",
        "provider_error",
        "status 529",
        "timeout",
    ]


def test_the_leading_sessions_have_cells_of_their_own():
    """A session is an org's: another's of that name is among the others."""
    leaders = LEADERS._replace(sessions=(("local", "s1"),))
    log = log_of([{"session": s, "org": org, "started_at": START, "total_ms": 1.0}
                  for org, s in [("local", "s1"), ("x", "s1"), ("local", None)]])  # fmt: skip

    assert sorted(cube.placed(log, leaders, "1d", "UTC").collect()["s"]) == [0, 1, 1]


def test_places_past_the_leaders_are_all_others():
    """Untagged is a feature like any other; two orgs' features are two."""
    log = log_of(
        [
            {"feature": f, "org": org, "started_at": START, "total_ms": 1.0}
            for f, org in [("a", "local"), (None, "local"), ("a", "x"), ("z", "local")]
        ]
    )

    found = cube.placed(log, LEADERS, "1d", "UTC").collect()

    assert sorted(found["f"]) == [0, 1, 2, 2]


def test_steps_begin_when_they_do_in_the_zone():
    """22:00 UTC is in Tokyo's next day, which began at 15:00 UTC."""
    late = {"started_at": START.replace(hour=22), "total_ms": 1.0}

    [found] = cube.placed(log_of([late]), LEADERS, "1d", "Asia/Tokyo").collect()["time"]

    assert datetime.fromtimestamp(found / 1000, UTC) == START.replace(hour=15)


def test_exact_percentiles_are_those_of_latency():
    """Per place, and of everything at -1."""
    log = log_of(
        [
            {"feature": "a", "started_at": START, "total_ms": 10.0 * i, "outcome": "ok"}
            for i in range(1, 101)
        ]
    )

    cells = cube.placed(log, LEADERS, "1d", "UTC")
    found = cube.exact_latency(cube.timed(cells)).collect()

    expected = latency(log, "feature", intervals=True).select("^total_.*$").collect()
    assert found["f"].to_list() == [-1, 0]
    for _, own in found.group_by("f"):
        assert own.select(expected.columns).rows() == expected.rows()


def test_a_ranking_is_dearest_first_then_most_used():
    """An unknown cost is no cost."""
    log = log_of(
        [
            {"feature": f, "model_actual": m, "input_tokens": n, "started_at": START,
             "total_ms": 1.0}
            for f, m, n in [("a", "unheard-of", 9), ("b", "gpt-4o-mini", 10**6),
                            ("c", "unheard-of", 9), ("c", "unheard-of", 9)]
        ]
    )  # fmt: skip

    ranked = cube.ranking(cube.needed(log))

    dearest = cube.leading(ranked, ["org", "feature"], 2).collect()
    assert dearest["feature"].to_list() == ["b", "c"]


def test_any_column_can_stand_in_the_place_of_the_feature():
    """By its name where it is missing; an unknown one is told."""
    at = {"started_at": START, "total_ms": 1.0}
    log = log_of([at | {"client": "codex"}, at | {"client": None, "feature": "a"}])

    found = cube.needed(log, "client").collect()

    assert found["feature"].to_list() == ["codex", "no client"]
    with pytest.raises(LabError, match="near it: client"):
        cube.needed(log, "cleint")

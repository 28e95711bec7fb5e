"""Steps of time as the page makes them: those of polars, in any zone."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from lectr_lab.analysis.views.time_steps import time_step
from lectr_lab.dashboards import page

# An hour that is missing or comes twice, also at midnight and by half an hour; half and
# quarter hours from UTC; before 1970.
CASES = [
    ("UTC", datetime(2026, 2, 27, 22, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 3, 28, 12, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 24, 12, tzinfo=UTC)),
    ("America/Havana", datetime(2026, 3, 7, 12, tzinfo=UTC)),
    ("America/Havana", datetime(2026, 10, 31, 12, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 3, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2026, 12, 30, 12, tzinfo=UTC)),
    ("America/St_Johns", datetime(1969, 12, 30, 12, tzinfo=UTC)),
]


def moves_on(step_ms, every, zone):
    """Whether the clock shows that step then. Polars says of one whose first moment is
    missing where it would have begun; the page, where it does."""
    at = pl.lit(pl.Series([step_ms]).cast(pl.Datetime("ms"))).dt.replace_time_zone(
        "UTC"
    )
    local = at.dt.convert_time_zone(zone).dt.replace_time_zone(None)
    return (
        every not in ("1h", "6h") or pl.select(local == local.dt.truncate(every)).item()
    )


@pytest.mark.parametrize("zone, start", CASES, ids=lambda case: str(case)[:19])
def test_a_step_begins_when_polars_says(log, opened, zone, start):
    """Of every quarter of an hour in three days, by every step."""
    tab = opened(page(log({})))
    moments = [start + timedelta(minutes=15 * n) for n in range(4 * 72)]
    at = [round(one.timestamp() * 1000) for one in moments]
    for every in ("15m", "1h", "6h", "1d", "1w", "1mo"):
        expected = (
            pl.select(time_step(pl.lit(pl.Series(moments)), every, zone))
            .to_series()
            .dt.epoch("ms")
            .to_list()
        )

        found = tab.evaluate(
            "([at, every, zone]) => at.map(one => lectr.stepStart(one, every, zone))",
            [at, every, zone],
        )

        wrong = [
            (str(moment), datetime.fromtimestamp(a / 1000, UTC).isoformat(),
             datetime.fromtimestamp(b / 1000, UTC).isoformat())
            for moment, a, b in zip(moments, found, expected, strict=True)
            if a != b and moves_on(b, every, zone)
        ]  # fmt: skip
        assert wrong == [], every


@pytest.mark.parametrize("zone, start", CASES, ids=lambda case: str(case)[:19])
def test_a_grid_has_every_step_once(log, opened, zone, start):
    """In order, the empty ones too, and each moment lies in one."""
    tab = opened(page(log({})))
    first = round(start.timestamp() * 1000)
    for every, days in (("1h", 3), ("6h", 9), ("1d", 40), ("1w", 80), ("1mo", 400)):
        grid = tab.evaluate(
            "([first, last, every, zone]) => lectr.grid(first, last, every, zone)",
            [first, first + days * 86_400_000, every, zone],
        )

        starts = [*grid["starts"], grid["end"]]
        again = tab.evaluate(
            "([starts, every, zone]) => starts.map(s => lectr.stepStart(s, every, zone))",
            [starts, every, zone],
        )
        assert again == starts == sorted(set(starts))
        assert starts[0] <= first and starts[-1] > first + days * 86_400_000


def test_the_zone_of_the_reader_can_be_chosen(log, opened):
    """Where steps of it can be made of what was counted; the page says which it is."""
    requests = [
        {"started_at": datetime(2026, 11, 2, n, tzinfo=UTC)} for n in (9, 16, 23)
    ]
    tab = opened(page(log(*requests), tz="Europe/Berlin"), timezone_id="Asia/Tokyo")
    assert "00:00 (Europe/Berlin)" in tab.locator("header").inner_text()
    choose = tab.locator("[data-control=zone]")

    offered = choose.locator("option").all_inner_texts()

    assert offered == ["Europe/Berlin", "UTC", "Asia/Tokyo"]
    choose.select_option("Asia/Tokyo")
    assert (
        "18:00 to 3 November 2026, 08:00 (Asia/Tokyo)"
        in tab.locator("header").inner_text()
    )
    assert (
        "zone=Asia" in tab.url
        and "Asia/Tokyo" in tab.locator("[data-panel=time]").inner_text()
    )


def test_a_zone_that_needs_shorter_steps_is_not_offered(log, opened):
    """Of hours that were counted, none of Nepal's can be made."""
    requests = [{"started_at": datetime(2026, 9, 2, tzinfo=UTC) + timedelta(hours=n)}
                for n in range(0, 60 * 24, 20)]  # fmt: skip
    tab = opened(page(log(*requests)), timezone_id="Asia/Kathmandu")

    assert tab.locator("[data-control=zone] option").all_inner_texts() == ["UTC"]

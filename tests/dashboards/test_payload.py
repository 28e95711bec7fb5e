"""What a dashboard is drawn from."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from lectr_lab.analysis.views import cube
from lectr_lab.dashboards.payload import Head, count_log, payload, step


def said(log, **head):
    counted = count_log(cube.needed(log), head.get("tz", "UTC"))
    return json.loads(payload(counted, Head(**({"title": "t", "tz": "UTC"} | head))))


@pytest.mark.parametrize(
    "span, every",
    [
        (timedelta(0), "1m"),
        (timedelta(minutes=50), "1m"),
        (timedelta(hours=3), "10m"),
        (timedelta(hours=30), "1h"),
        (timedelta(days=12), "6h"),
        (timedelta(days=28), "1d"),
        (timedelta(days=365), "1w"),
        (timedelta(days=9000), "1mo"),
    ],
)
def test_steps_are_as_short_as_can_be_read(span, every):
    """Fewer than 72 of them, as long as a month is enough."""
    start = datetime(2026, 1, 1, tzinfo=UTC)

    assert step(start, start + span) == every


def test_no_time_has_a_step():
    """An empty log is drawn by the minute."""
    assert step(None, None) == "1m"


def test_a_cell_has_places_sums_durations_and_errors(log):
    """One request and one error of the same hour, feature and model share a cell."""
    found = said(log({}, {"outcome": "timeout", "input_tokens": None}))

    sums = dict.fromkeys(found["measures"], 0)
    for cell in found["cells"]:
        for name, n in zip(found["measures"], cell[3:-2], strict=True):
            sums[name] += n
    assert (sums["requests"], sums["errors"]) == (2, 1)
    assert [c[-2][1::2] for c in found["cells"] if c[-2]] == [[1]]
    assert [c[-1] for c in found["cells"] if c[-1]] == [[0, 1]]
    assert found["kinds"] == [["timeout", "—"]]


def test_empty_steps_are_there_too(log):
    """A gap in the traffic is a gap in the chart."""
    start = datetime(2026, 11, 2, 9, tzinfo=UTC)
    found = said(log({"started_at": start}, {"started_at": start.replace(minute=5)}))

    assert found["every"] == "1m" and len(found["times"]) == 6


def test_the_period_is_said_in_the_zone_asked_for(log):
    """09:00 UTC is 18:00 in Tokyo."""
    found = said(log({}, {}), tz="Asia/Tokyo")

    assert found["first"] == "2 November 2026, 18:00"
    assert found["last"] == "2 November 2026, 19:00"


def test_the_rest_share_a_place(log):
    """However many there are; their number is said."""
    fields = [
        {"feature": f"feature-{i}", "model_actual": f"m{i}", "error_type": f"e{i}",
         "outcome": "provider_error"}
        for i in range(30)
    ]  # fmt: skip

    found = said(log(*fields))

    assert found["features"][-1] == "all others (20)" and len(found["features"]) == 11
    assert found["models"][-1] == ["", "all others (22)"] and len(found["models"]) == 9
    assert found["kinds"][-1] == ["other errors", "several"]
    assert sum(n for c in found["cells"] for n in c[-1][1::2]) == 30


def test_two_orgs_features_are_named_after_them(log):
    """And one org is named once."""
    assert said(log({"org": "a"}, {"org": "b"}))["features"] == ["a · chat", "b · chat"]
    assert said(log({"org": "a"}))["whose"] == "a"


def test_an_empty_log_has_no_cells(log):
    """And no time."""
    found = said(log())

    assert (found["cells"], found["times"], found["first"]) == ([], [], "")


def test_what_is_no_call_takes_no_place_and_is_said(log):
    """Neither a feature nor a model of its own: one sentence beside the figures."""
    none = {"operation": "models", "model_actual": None}
    none |= {"input_tokens": None, "output_tokens": None}

    found = said(log({}, none | {"feature": "agent"}, none))

    assert found["asides"] == [
        "2 other requests (2 models), 0 failed: not model calls."
    ]
    assert (found["features"], len(found["models"])) == (["chat"], 1)
    assert [c[3] for c in found["cells"]] == [1]


def test_an_hour_that_comes_twice_has_its_steps(log):
    """The last request may be earlier by the clock than the first."""
    first = datetime(2026, 10, 25, 0, 50, tzinfo=UTC)  # 2:50, then 2:10 in Berlin
    found = said(
        log({"started_at": first}, {"started_at": first + timedelta(minutes=20)}),
        tz="Europe/Berlin",
    )

    assert len(found["times"]) == 41
    assert {cell[0] for cell in found["cells"]} == {0, 40}

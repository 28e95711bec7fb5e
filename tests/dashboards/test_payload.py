"""What a dashboard is drawn from."""

import json
from datetime import UTC, datetime, timedelta

from unpacked import unpacked_cells

from lectr_lab.analysis.views import cube
from lectr_lab.dashboards.counted import count_log
from lectr_lab.dashboards.payload import MOST_OTHERS, Head, payload


def said(log, **head):
    counted = count_log(cube.needed(log), head.get("tz", "UTC"))
    made = payload(counted, Head(**({"title": "t", "tz": "UTC"} | head)))
    return unpacked_cells(json.loads(made))


def total(found, measure):
    """The sum of a column; one that is 0 throughout is not sent."""
    column = found["cells"][measure]
    return sum(column) if column else 0


def test_a_cell_has_places_sums_and_durations(log):
    """A request that failed has a cell of its own, which says why."""
    found = said(log({}, {"outcome": "timeout", "input_tokens": None}))

    cells = found["cells"]
    assert (total(found, "requests"), total(found, "errors")) == (2, 1)
    assert sorted(zip(cells["e"], map(len, cells["bins"]), strict=True)) == [
        (-1, 2), (0, 0),
    ]  # fmt: skip
    assert found["kinds"] == [["timeout", "—"]]
    columns = [column for column in cells.values() if column]
    assert {len(column) for column in columns} == {len(found["cells"]["t"])}


def test_a_column_of_nothing_is_not_sent(log):
    """Such as estimates where there are none."""
    assert said(log({}))["cells"]["estimated"] == 0


def test_moments_are_those_of_utc(log):
    """In whatever zone the days begin: a page can show them in another."""
    found = said(log({}, {}), tz="Asia/Tokyo")

    nine = datetime(2026, 11, 2, 9, tzinfo=UTC).timestamp() * 1000
    assert (found["first"], found["last"]) == (nine, nine + 3_600_000)
    assert found["times"] == [nine, nine + 3_600_000]
    assert (found["counted"], found["every"]) == ("1m", "1m")


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
    assert (total(found, "errors"), max(found["cells"]["e"])) == (30, 10)
    assert [one[0] for one in found["others"]] == sorted(
        f"feature-{i}" for i in range(30)
    )[10:]
    assert found["n_others"] == 20 and found["others"][0][1:] == [1, 0.0]


def test_two_orgs_features_are_named_after_them(log):
    """And one org is named once."""
    assert said(log({"org": "a"}, {"org": "b"}))["features"] == ["a · chat", "b · chat"]
    assert said(log({"org": "a"}))["whose"] == "a"


def test_an_empty_log_has_no_cells(log):
    """And no time."""
    found = said(log())

    assert (found["cells"]["t"], found["times"], found["first"]) == ([], [], None)


def test_what_is_no_call_takes_no_place_and_is_said(log):
    """Neither a feature nor a model of its own: one sentence beside the figures."""
    none = {"operation": "models", "model_actual": None}
    none |= {"input_tokens": None, "output_tokens": None}

    found = said(log({}, none | {"feature": "agent"}, none))

    assert found["asides"] == [
        "2 other requests (2 models), 0 failed: not model calls."
    ]
    assert (found["features"], len(found["models"])) == (["chat"], 1)
    assert found["cells"]["requests"] == [1]


def test_the_others_are_listed_to_a_bound(log):
    """The dearest of them, and how many there are."""
    many = [{"feature": f"f{i:04}", "input_tokens": i} for i in range(MOST_OTHERS + 30)]

    found = said(log(*many))

    assert len(found["others"]) == MOST_OTHERS and found["n_others"] == MOST_OTHERS + 20
    assert found["others"][0][0] == f"f{MOST_OTHERS + 19:04}"


def test_the_dearest_sessions_have_places(log):
    """After them, all others; without any, none."""
    runs = [{"session": f"s{i:02}", "output_tokens": i} for i in range(20)]

    found = said(log(*runs, {}))

    assert found["sessions"] == [f"s{i:02}" for i in range(19, 7, -1)] + ["all others"]
    assert said(log({}))["sessions"] == said(log(*runs), by="session")["sessions"] == []


def test_an_hour_that_comes_twice_is_two(log):
    """The last request may be earlier by the clock than the first, and is not."""
    first = datetime(2026, 10, 25, 0, 50, tzinfo=UTC)  # 2:50, then 2:10 in Berlin
    found = said(
        log({"started_at": first}, {"started_at": first + timedelta(minutes=20)}),
        tz="Europe/Berlin",
    )

    assert found["times"][1] - found["times"][0] == 20 * 60_000


def test_a_page_without_a_kernel_has_no_names_as_they_were_sent(log):
    """A live one has, to ask its kernel by."""
    keys = said(log({"feature": "a\u200b"}), live="live")["keys"]

    assert keys["features"] == [["local", "a\u200b"]]
    assert said(log({}))["keys"] is None


def test_what_others_found_out_stands_beside(log):
    """As it is given."""
    counted = count_log(cube.needed(log({})), "UTC")

    found = json.loads(payload(counted, Head("t", "UTC"), {"odd": [1]}))

    assert found["odd"] == [1]

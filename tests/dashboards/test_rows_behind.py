"""The requests behind a figure."""

import json
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.views.cube import Leaders
from lectr_lab.core.errors import LabError
from lectr_lab.core.event import Event
from lectr_lab.dashboards.rows_behind import (
    MOST_ASKED,
    behind,
    carried,
    listed,
    reply,
    rows_of,
)
from lectr_lab.log.schema import frame

START_MS = int(datetime(2026, 11, 2, 9, tzinfo=UTC).timestamp() * 1000)
HOUR_MS = 3_600_000
names = st.sampled_from([None, "a", "b", "c"])
pairs = st.lists(st.lists(names, min_size=2, max_size=2), max_size=3)
calls = st.lists(
    st.fixed_dictionaries(
        {
            "hour": st.integers(0, 9),
            "org": names,
            "feature": names,
            "provider": names,
            "model_actual": names,
            "session": names,
            "error_type": names,
            "outcome": st.sampled_from(["ok", "provider_error"]),
        }
    ),
    max_size=12,
)
selections = st.fixed_dictionaries(
    {},
    optional={
        "from": st.none() | st.integers(0, 9).map(lambda h: START_MS + h * HOUR_MS),
        "to": st.none() | st.integers(0, 9).map(lambda h: START_MS + h * HOUR_MS),
        "providers": st.lists(names, max_size=2),
        **dict.fromkeys(("features", "models", "errors", "sessions"), pairs),
        "not_features": pairs,
        "not_errors": pairs,
    },
)


def log_of(calls: list[dict]) -> pl.LazyFrame:
    events = [
        Event(
            event_id=i.to_bytes(16, "big"),
            started_at=datetime.fromtimestamp(
                START_MS / 1000 + call["hour"] * 3600, UTC
            ),
            path="/v1/chat/completions",
            operation="chat",
            total_ms=5.0,
            **{key: value for key, value in call.items() if key != "hour"},
        )
        for i, call in enumerate(calls)
    ]
    return priced(frame(events).lazy())


def takes(selection: dict, call: dict) -> bool:
    """The same rule, a call at a time."""
    at = START_MS + call["hour"] * HOUR_MS
    failed = call["outcome"] != "ok"
    why = [call["error_type"] or call["outcome"], None] if failed else None
    who = {
        "features": [call["org"], call["feature"]],
        "models": [call["provider"], call["model_actual"]],
        "sessions": [call["org"], call["session"]],
        "errors": why,
    }
    for key, own in who.items():
        some, others = selection.get(key), selection.get(f"not_{key}")
        other = others and own not in others and own is not None  # what did not fail
        if (some or others) and not (own in (some or []) or other):
            return False
    providers = selection.get("providers")
    return (
        (selection.get("from") is None or at >= selection["from"])
        and (selection.get("to") is None or at < selection["to"])
        and (not providers or call["provider"] in providers)
    )


@given(calls, selections)
def test_a_selection_takes_what_it_says(calls, selection):
    """A filter of the frame and a look at each call agree."""
    found = rows_of(log_of(calls), selection).collect()

    expected = [i for i, call in enumerate(calls) if takes(selection, call)]
    assert sorted(int.from_bytes(i, "big") for i in found["event_id"]) == expected


def test_the_dearest_or_the_newest_come_first(log):
    """And what has no known price is last among the dearest."""
    some = log(
        {"output_tokens": 10}, {"output_tokens": 900}, {"model_actual": "unheard-of"}
    )

    dearest, n = behind(some, {}, order="dearest")
    newest, _ = behind(some, {}, order="newest", limit=2)

    assert [int.from_bytes(i, "big") for i in dearest["event_id"]] == [1, 0, 2]
    assert [int.from_bytes(i, "big") for i in newest["event_id"]] == [2, 1]
    assert n == 3


def test_another_column_stands_in_the_place_of_the_features(log):
    """What is missing there is selected by its name."""
    some = log({"client": "codex"}, {"client": None})

    none, n = behind(some, {"features": [["local", "no client"]]}, by="client")

    assert (n, none["feature"].to_list()) == (1, ["no client"])


def test_other_failures_are_failures(log):
    """All errors but one leave out what did not fail."""
    some = log({}, {"outcome": "timeout"}, {"outcome": "unreachable"})

    found, n = behind(some, {"not_errors": [["timeout", None]]})

    assert (n, found["outcome"].to_list()) == (1, ["unreachable"])


def test_shadows_and_other_requests_are_not_behind_a_count_of_calls(log):
    """What is counted as requests is what is listed."""
    some = log({}, {"kind": "shadow"}, {"operation": "models", "input_tokens": None})

    assert behind(some, {})[1] == 1


@pytest.mark.parametrize(
    "selection",
    [
        {"from": "now"}, {"from": True}, {"to": float("inf")}, {"features": "chat"},
        {"features": ["chat"]}, {"models": [["a"]]}, {"providers": [["a"]]},
        {"sessions": [[1, 2]]}, {"errors": 7}, {"providers": ["\ud800"]},
    ],
)  # fmt: skip
def test_what_is_no_selection_is_told(log, selection):
    """In a sentence, to a caller and to a page."""
    with pytest.raises(LabError, match="of a selection"):
        rows_of(log({}), selection)
    assert "of a selection" in reply(log({}), {"selection": selection})["error"]


def test_a_page_is_answered_in_json(log):
    """With the number that it asked by, the rows, and how many there are."""
    some = log(
        {"feature": "se\u200barch"}, {"outcome": "timeout"}, {"outcome": "timeout"}
    )

    answer = reply(some, {"ask": "rows", "of": 7, "order": "newest", "limit": 2})

    assert json.loads(json.dumps(answer)) == answer
    assert (answer["answer"], answer["of"], answer["n"]) == ("rows", 7, 3)
    assert answer["rows"]["outcome"] == ["timeout", "timeout"]
    assert {len(column) for column in answer["rows"].values()} == {2}
    whole = reply(some, {"limit": 10 * MOST_ASKED})
    assert "se<U+200B>arch" in whole["rows"]["feature"]
    assert "error" in reply(some, {"selection": [1]})
    assert "error" in reply(some, {"limit": "all"})


def test_requests_without_an_id_are_several(log):
    """As of a table that somebody brought."""
    some = log({}, {}, {"outcome": "timeout"}).with_columns(
        event_id=pl.lit(None, pl.Binary)
    )

    found = carried(some, Leaders((("local", "chat"),), ()))

    assert found["id"] == ["", "", ""] and found["f"] == [0, 0, 0]
    assert (found["dearest"], found["failed"]) == ([1, 1, 1], [1, 0, 0])


def test_a_list_says_what_each_request_was(log):
    """Identity, moment, tokens, cost, duration and how it ended."""
    found, _ = behind(log({"session": "s1", "output_tokens": 0}), {})

    said = {key: value for key, [value] in listed(found).items()}

    assert said == {
        "id": "0" * 32, "at": START_MS, "feature": "chat", "provider": "openai",
        "model": "gpt-4o-mini", "session": "s1", "input_tokens": 1000,
        "cache_read_tokens": None, "output_tokens": 0, "cost_usd": 0.00015,
        "total_ms": 800.0, "outcome": "ok",
    }  # fmt: skip


def test_carried_rows_do_not_depend_on_how_they_are_read(log, monkeypatch):
    """In one piece or row by row; equal costs are in the order of their times."""
    some = log(*({"output_tokens": n // 2} for n in range(9)), {"outcome": "timeout"})
    leaders = Leaders((("local", "chat"),), ())
    monkeypatch.setattr("lectr_lab.dashboards.rows_behind.CARRIED", 3)
    whole = carried(some, leaders)
    monkeypatch.setattr("lectr_lab.dashboards.rows_behind.BATCH_ROWS", 2)

    found = carried(some, leaders)

    for wanted, n in (("dearest", 3), ("newest", 3), ("failed", 1)):
        ids, same = (
            {i for i, one in zip(of["id"], of[wanted], strict=True) if one}
            for of in (whole, found)
        )
        assert ids == same and len(ids) == n

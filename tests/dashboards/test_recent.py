"""What a page says of requests one by one."""

from datetime import timedelta

import polars as pl

from lectr_lab.analysis.views import cube
from lectr_lab.analysis.views.cube import Leaders
from lectr_lab.analysis.views.spend import spend
from lectr_lab.dashboards import recent as module
from lectr_lab.dashboards.recent import at_hand, recent
from lectr_lab.dashboards.rows_behind import carried
from lectr_lab.dashboards.runs import runs


def test_of_few_rows_all_are_read(log):
    """And nothing is said."""
    found = recent(log({}, {}), many=False)

    assert found.said == "" and found.rows.collect().height == 2


def test_of_many_those_of_the_newest_days_are_read(log, event, monkeypatch):
    """Which is said."""
    start = event(0, {}).started_at
    rows = log(*({"started_at": start + timedelta(days=n // 2)} for n in range(6)))

    monkeypatch.setattr(module, "MOST_AT_HAND", 4)
    assert recent(rows, many=True).said == "newest 2 days, 4 requests"
    monkeypatch.setattr(module, "MOST_AT_HAND", 2)
    found = recent(rows, many=True)

    assert found.said == "newest day, 2 requests"
    assert found.rows.collect().height == 2
    monkeypatch.setattr(module, "MOST_AT_HAND", 6)
    assert recent(rows, many=True).said == ""
    monkeypatch.setattr(module, "MOST_AT_HAND", 1)
    assert recent(rows, many=True).said == "newest hours, 2 requests"


def test_what_is_at_hand_says_what_all_of_it_does(log, monkeypatch):
    """Runs, single requests, and what stands in the place of features."""
    watched = {"session": "s", "client": "c", "agent": "a", "prefix_break": "none"}
    watched |= {
        "prompt_chars": 9_000,
        "prefix_chars": 8_000,
        "prefix_kept_chars": 8_000,
    }
    rows = log(*[watched | {"input_tokens": 3_000, "idle_s": 900.0}] * 3, {"rule": "r"})
    monkeypatch.setattr(module, "MOST_AT_HAND", 3)
    some = recent(rows, many=True)._replace(said="newest")

    held = at_hand(some, "rule")

    assert runs(held.rows, "newest") == runs(some.rows, "newest") != ""
    leaders = Leaders((("local", "r"),), (("openai", "gpt-4o-mini"),))
    told = [
        carried(cube.named(one.rows, "rule"), leaders, "newest") for one in (held, some)
    ]
    assert told[0] == told[1]


def test_what_is_at_hand_has_numbers_for_names(log, monkeypatch):
    """Each of few names stands in many rows; views group by them as by texts."""
    rows = log({"session": "s", "feature": "chat"}, {"session": "s", "feature": None})
    monkeypatch.setattr(module, "MOST_AT_HAND", 2)

    held = at_hand(recent(rows, many=True)._replace(said="newest"), "feature").rows

    assert held.collect_schema()["session"] == pl.Categorical
    found = spend(held, by="feature").collect()
    assert found.schema["feature"] == pl.String
    assert sorted(found["feature"]) == ["chat", "untagged"]

"""Which targets are tried, and in which order.

Each reason for which a target cannot take the traffic.
"""

from datetime import date, timedelta

import pytest

from lectr_lab.analysis.recommend.candidates import candidate, why_not, with_chains
from lectr_lab.core.model_catalog import known_model, models

TODAY = date(2026, 11, 24)
ROW = {
    "org": "acme",
    "feature": "f",
    "task": "classification",
    "provider": "openai",
    "model": "gpt-5.4-2026-03-05",
    "requests": 100,
    "counted": 100,
    "beside_reasoning": False,
    "n_short_answer": 100,
    "n_short_prompt": 100,
    "n_long_prompt": 0,
    "n_low_temperature": 0,
    "n_json": 0,
    "n_deep_schema": 0,
    "n_reasoning": 0,
    "n_tools": 0,
    "n_pictures_or_sound": 0,
    "input_most_tokens": 100,
    "output_most_tokens": 100,
    "uses_images": False,
    "uses_audio": False,
    "uses_tools": False,
    "uses_json_schema": False,
    "uses_web_search": False,
    "uses_other_output": False,
    "uses_effort": False,
    "unsaid": False,
}


def names(day=TODAY, **fields):
    return [o.target.model.name for o in candidate(ROW | fields, day).options]


def test_careful_work_goes_to_the_nearest():
    """Classification may go far; long summaries, and what only looks simple, may not."""
    assert names() == ["gpt-6-luna", "gpt-5.4-mini"]
    assert names(task="summarisation", n_long_prompt=50) == [
        "gpt-5.4-mini",
        "gpt-6-luna",
    ]
    assert names(task=None) == ["gpt-5.4-mini", "gpt-6-luna"]


def test_a_target_that_reasons_anew_comes_last():
    """gpt-4o does not reason, gpt-6-luna does."""
    found = candidate(ROW | {"model": "gpt-4o-2024-08-06"}, TODAY)

    assert [(o.target.model.name, o.anew) for o in found.options] == [
        ("gpt-4o-mini", False),
        ("gpt-6-luna", True),
    ]


def test_what_is_refused_says_why():
    """o3-mini is gone, and what follows it takes its place: first the one that lasts."""
    found = candidate(ROW | {"model": "o3-2025-04-16"}, TODAY)

    assert found.refused == ("o3-mini retires on 2026-10-23",)
    assert [(o.target.model.name, o.ends_on) for o in found.options] == [
        ("gpt-6-luna", None),
        ("gpt-4o-mini", date(2027, 1, 14)),
    ]


DAYS = [date(2025, 1, 1), date(2026, 6, 1), TODAY, date(2026, 11, 30), date(2028, 1, 1)]


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_what_ends_within_a_quarter_is_tried_last(day):
    """Of every model and provider of the catalogue: only what reasons anew, of which no
    saving is known, is tried later than a target that is about to go."""
    for model in models():
        for provider in model.providers:
            for task in ("classification", None):
                row = ROW | {"provider": provider, "model": model.name, "task": task}
                options = candidate(row, day).options
                order = [(o.anew, o.ends_on is not None) for o in options]
                assert order == sorted(order)
                for option in options:
                    goes = option.target.model.retired_on.get(provider, date.max)
                    assert goes >= day + timedelta(days=30)
                    ends = goes < day + timedelta(days=90)
                    assert option.ends_on == (goes if ends else None)


LONG_AGO = date(2025, 6, 1)


def chained(*models, **fields):
    rows = [ROW | {"model": name} for name in models]
    rows[0] |= fields
    found = with_chains([candidate(row, LONG_AGO) for row in rows], LONG_AGO)
    return [(o.target.model.name, len(o.by_way)) for o in found[0].options]


def test_a_target_that_moves_on_takes_its_traffic_along():
    """gpt-4.1 → mini → nano, where the feature asks all of them, or two."""
    assert ("gpt-4.1-nano", 1) in chained("gpt-4.1", "gpt-4.1-mini")
    assert ("gpt-4.1-nano", 1) not in chained("gpt-4.1", "gpt-4.1-nano")
    assert ("gpt-4.1-nano", 1) not in chained("gpt-4.1")


def test_a_chain_ends_where_the_traffic_does_not_fit():
    """Nor does it lead into another feature's work."""
    assert ("gpt-4.1-nano", 1) not in chained(
        "gpt-4.1", "gpt-4.1-mini", output_most_tokens=10**7
    )
    assert ("gpt-4.1-nano", 1) not in chained(
        "gpt-4.1", "gpt-4.1-mini", feature="another"
    )


def test_unclear_work_has_no_options():
    """Nor has a model that nobody knows, or none at all."""
    assert names(task=None, n_reasoning=1) == []
    assert names(model="ft:gpt-4o:acme::1") == []
    assert names(model=None) == names(provider=None) == []


PLAIN = {
    "provider": "openai",
    "model": "gpt-4o-2024-08-06",
    "input_most_tokens": 5_000,
    "output_most_tokens": 500,
    "uses_images": False,
    "uses_audio": False,
    "uses_tools": False,
    "uses_json_schema": False,
    "uses_web_search": False,
    "uses_other_output": False,
    "uses_effort": False,
    "unsaid": False,
}


def reason(target, day=TODAY, **group):
    found = PLAIN | group
    return why_not(known_model(found["provider"], target), found, day)


def test_nothing_stops_plain_traffic():
    """gpt-4o-mini takes what gpt-4o takes."""
    assert reason("gpt-4o-mini") is None
    assert reason("gpt-4o-mini", uses_images=True, uses_tools=True) is None
    assert reason("gpt-4o-mini", unsaid=True) is None


@pytest.mark.parametrize(
    "target, group, words",
    [
        ("gpt-4.1-nano", {}, "gpt-4.1-nano retires on 2026-10-23"),
        ("o3-mini", {"provider": "azure"}, "o3-mini retires on 2026-11-19"),
        ("gpt-4o-mini", {"uses_audio": True}, "not known to take audio"),
        ("gpt-4o-mini", {"uses_web_search": True}, "not known to take web search"),
        ("gpt-4o-mini", {"uses_other_output": True}, "answer in images or audio"),
        ("gpt-4o-mini", {"uses_effort": True}, "takes no reasoning effort"),
        ("gpt-4o-mini", {"input_most_tokens": 128_001}, "128,000 tokens at most"),
        ("gpt-4o-mini", {"output_most_tokens": 16_385}, "16,384 tokens at most"),
        (
            "openai/gpt-oss-20b",
            {"provider": "groq", "uses_images": True},
            "not known to take images",
        ),
    ],
)
def test_each_lack_is_said(target, group, words):
    """In words that name the target."""
    said = reason(target, **group)

    assert words in said and said.startswith(("gpt", "o3", "openai/"))


def test_what_is_not_known_of_a_target_is_a_lack():
    """A model that the sources no longer list: nobody says what it takes."""
    long_ago = date(2024, 12, 1)
    said = reason(
        "llama-3.1-8b-instant", long_ago, provider="groq", model="gemma2-9b-it"
    )

    assert "is not known" in said
    group = {"provider": "groq", "model": "gemma2-9b-it", "uses_tools": True}
    assert "tools" in reason("llama-3.1-8b-instant", long_ago, **group)


def test_where_the_log_is_silent_the_present_model_sets_the_bar():
    """gemini takes audio: a target that does not is refused, unless the log says no."""
    group = {"provider": "gemini", "model": "gemini-3.8-flash"}
    deaf = known_model("groq", "openai/gpt-oss-20b")

    def why(**more):
        return why_not(deaf, PLAIN | group | more, TODAY)

    assert why() is None
    assert "audio and images" in why(unsaid=True)

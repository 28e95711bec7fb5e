"""Which targets are tried, and in which order."""

from datetime import date

from lectr_lab.analysis.candidates import candidate

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
    """o3-mini is gone, and what follows it takes its place."""
    found = candidate(ROW | {"model": "o3-2025-04-16"}, TODAY)

    assert found.refused == ("o3-mini retires on 2026-10-23",)
    assert [o.target.model.name for o in found.options] == ["gpt-4o-mini"]


def test_unclear_work_has_no_options():
    """Nor has a model that nobody knows, or none at all."""
    assert names(task=None, n_reasoning=1) == []
    assert names(model="ft:gpt-4o:acme::1") == []
    assert names(model=None) == names(provider=None) == []

"""Each reason for which a target cannot take the traffic."""

from datetime import date

import pytest

from lectr_lab.analysis.capability import why_not
from lectr_lab.core.model_catalog import known_model

TODAY = date(2026, 11, 24)
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

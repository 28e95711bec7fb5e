"""What is selected, in a user's words and in a page's."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lectr_lab as lectr
from lectr_lab.core.errors import LabError
from lectr_lab.dashboards.rows_behind import rows_of
from lectr_lab.dashboards.selected import in_words, message_of

REQUESTS = [
    {"org": "a", "feature": "chat", "session": "s1"},
    {"org": "b", "feature": "chat", "client": "codex"},
    {"org": "a", "feature": None, "outcome": "timeout", "error_source": "provider"},
    {"org": "a", "feature": "search", "provider": "groq", "model_actual": "llama"},
]


def numbers(found: pl.LazyFrame) -> list[int]:
    """Which requests these are."""
    return sorted(int.from_bytes(i, "big") for i in found.collect()["event_id"])


@pytest.mark.parametrize(
    ("words", "which"),
    [
        ({}, [0, 1, 2, 3]),
        ({"feature": "chat"}, [0, 1]),
        ({"feature": ["search", "untagged"]}, [2, 3]),
        ({"provider": "groq"}, [3]),
        ({"model": "llama"}, [3]),
        ({"session": "s1"}, [0]),
        ({"error": "timeout"}, [2]),
        ({"since": "2026-11-02T10:00", "until": "2026-11-02T12:00"}, [1, 2]),
        ({"feature": "chat", "until": "2026-11-02T10:00"}, [0]),
    ],
)
def test_names_and_times_are_the_requests_that_they_say(log, words, which):
    """In whatever org; what is missing by the name that views give it."""
    frame = log(*REQUESTS)

    assert numbers(rows_of(frame, message_of(frame, words))) == which


@settings(max_examples=25, deadline=None)
@given(
    words=st.fixed_dictionaries(
        {},
        optional={
            "feature": st.lists(
                st.sampled_from(["chat", "search", "untagged"]), min_size=1, unique=True
            ),
            "provider": st.sampled_from([["groq"], ["openai"], ["groq", "openai"]]),
            "since": st.sampled_from(["2026-11-02", "2026-11-02T10:00"]),
            "until": st.sampled_from(["2026-11-02", "2026-11-02T12:00"]),
        },
    )
)
def test_what_is_said_of_a_selection_selects_it_again(log, words):
    """`select(**selection)` changes nothing."""
    frame = log(*REQUESTS)
    message = message_of(frame, words)

    again = message_of(frame, in_words(message))

    assert in_words(again) == in_words(message)
    assert numbers(rows_of(frame, again)) == numbers(rows_of(frame, message))


def test_another_column_stands_in_the_place_of_the_features(log):
    """Under its own name."""
    frame = log(*REQUESTS)
    message = message_of(frame, {"client": "codex"}, by="client")

    assert numbers(rows_of(frame, message, "client")) == [1]
    assert in_words(message, "client") == {"client": ["codex"]}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"feature": "serach"}, "'serach' in this log; it has, for one: search"),
        ({"colour": "red"}, "by 'colour', but by feature, model"),
        ({"since": "soon"}, "is not a time"),
        ({"error": "timeuot"}, "timeout"),
    ],
)
def test_what_cannot_be_selected_is_said(log, words, says):
    """With what could be."""
    with pytest.raises(LabError, match=says):
        message_of(log(*REQUESTS), words)


def test_a_page_shows_what_was_selected_in_python(log, opened):
    """As many requests as `rows` has; a second selection takes the place of the first."""
    dash = lectr.dashboard(log(*REQUESTS)).select(feature="chat")
    count = ".figures dd"
    tab = opened(dash.html)
    assert (
        int(tab.locator(count).first.inner_text()) == dash.rows().collect().height == 2
    )
    assert dash.selection == {"feature": ["chat"]}

    tab = opened(dash.select(error="timeout", since="2026-11-02T11:00").html)
    assert (
        int(tab.locator(count).first.inner_text()) == dash.rows().collect().height == 1
    )

    assert numbers(dash.select().rows()) == [0, 1, 2, 3]

"""The row that advice rests on."""

from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.recommend.signals import signals

counted = st.none() | st.integers(0, 30)


@pytest.fixture
def row(log_of, event):
    """The one group of some events, each a change to a small priced chat request."""

    def one(*changes):
        log = priced(log_of([event(**change) for change in changes]))
        found = signals(log).collect()
        assert found.height == 1
        return found.row(0, named=True)

    return one


def test_size_and_shape(row, event):
    """Days are those with traffic; tokens by median, p95 and maximum."""
    start = event().started_at
    found = row(
        *(
            {"started_at": start + timedelta(days=d), "output_tokens": d}
            for d in range(3)
        ),
        {"output_tokens": None, "input_tokens": None, "token_source": "absent"},
    )

    assert (found["requests"], found["counted"], found["priced"]) == (4, 3, 3)
    assert found["days"] == 3
    assert found["input_p50_tokens"] == 1000
    assert found["output_most_tokens"] == 2
    assert found["model"] == "gpt-4o-mini-2024-07-18"


@pytest.mark.parametrize(
    "fields, sign",
    [
        ({"output_tokens": 100}, "short_answer"),
        ({"input_tokens": 2_000}, "short_prompt"),
        ({"input_tokens": 8_001}, "long_prompt"),
        ({"temperature": 0.3}, "low_temperature"),
        ({"response_format": "json_object"}, "json"),
        ({"schema_depth": 4}, "deep_schema"),
        ({"reasoning_effort": "low"}, "reasoning"),
        ({"reasoning_tokens": 1}, "reasoning"),
        ({"has_tools": True}, "tools"),
        ({"has_images": True}, "pictures_or_sound"),
        ({"has_audio": True}, "pictures_or_sound"),
    ],
)
def test_each_sign_is_counted_by_rows(row, fields, sign):
    """One row has it, one says nothing: one."""
    plain = {"input_tokens": 5_000}

    found = row(plain, plain | fields)

    expected = 2 if sign == "short_prompt" and "input_tokens" not in fields else 1
    assert found[f"n_{sign}"] == expected


@pytest.mark.parametrize(
    "fields, use",
    [
        ({"has_images": True}, "images"),
        ({"input_image_tokens": 9}, "images"),
        ({"has_audio": True}, "audio"),
        ({"input_audio_tokens": 9}, "audio"),
        ({"has_tools": True}, "tools"),
        ({"response_format": "json_schema"}, "json_schema"),
        ({"response_format": "json_object"}, "json_schema"),
        ({"web_searches": 1}, "web_search"),
        ({"output_audio_tokens": 1}, "other_output"),
        ({"reasoning_effort": "none"}, "effort"),
    ],
)
def test_any_row_that_uses_something_counts(row, fields, use):
    """One of many is enough, and none where none does."""
    said = {"has_images": False, "has_audio": False, "has_tools": False}

    assert row(said, said | fields)[f"uses_{use}"]
    assert not row(said, said | {"response_format": "text"})[f"uses_{use}"]


def test_what_the_log_does_not_say_is_marked(row):
    """A flag that is null is not a no."""
    said = {"has_images": False, "has_audio": False, "has_tools": False}

    assert not row(said, said)["unsaid"]
    assert row(said, said | {"has_audio": None})["unsaid"]


def test_only_answered_chats_of_clients_count(log_of, event, failed):
    """No failure, no shadow, no embedding, no old completion."""
    others = [
        failed(),
        event(outcome="client_disconnect"),
        event(kind="shadow"),
        event(operation="embeddings"),
        event(operation="completions"),
        event(operation="other"),
    ]

    assert signals(priced(log_of(others))).collect().is_empty()


def test_orgs_features_tasks_and_models_are_apart(log_of, event):
    """Each difference is a group of its own, null ones too."""
    events = [
        event(org=org, feature=feature, task=task, model_actual=model)
        for org in ("a", "b")
        for feature in (None, "chat")
        for task in (None, "extraction")
        for model in ("gpt-4o", "gpt-4.1")
    ]

    found = signals(priced(log_of(events))).collect()

    assert found.height == 16
    assert found["requests"].to_list() == [1] * 16
    assert found.select(pl.col("org").n_unique()).item() == 2


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), counted, counted), min_size=1, max_size=40
    )
)
def test_ranks_are_those_of_all_values(log_of, event, calls):
    """The median of the input and the 95th percentile of the output, by polars' rules."""
    rows = [event(feature=f, input_tokens=i, output_tokens=o) for f, i, o in calls]
    log = log_of(rows)

    found = signals(priced(log)).sort("feature").collect()

    wanted = log.group_by("feature").agg(
        pl.col("input_tokens").median().alias("input_p50_tokens"),
        pl.col("output_tokens").quantile(0.95).alias("output_p95_tokens"),
    )
    assert found.select(wanted.collect_schema().names()).equals(
        wanted.collect().sort("feature")
    )

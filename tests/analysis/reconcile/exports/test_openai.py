"""OpenAI's usage and costs, by what changes a price."""

import json
from datetime import date

import pytest

from lectr_lab.analysis.reconcile.exports.read import read_export
from lectr_lab.analysis.reconcile.exports.shape import Charged, Dimensions

DAY = date(2025, 11, 20)
START = 1763596800


def read(tmp_path, *results, name="usage.json"):
    file = tmp_path / name
    bucket = {"object": "bucket", "start_time": START, "results": list(results)}
    file.write_text(json.dumps({"object": "page", "data": [bucket]}))
    return read_export(file)


def completions(**more):
    return {
        "object": "organization.usage.completions.result",
        "model": "gpt-x",
        "input_tokens": 100,
        "output_tokens": 10,
        "num_model_requests": 1,
    } | more


@pytest.mark.parametrize(
    "grouped, dimensions",
    [
        ({}, Dimensions()),
        ({"batch": None, "service_tier": None}, Dimensions()),
        ({"batch": False}, Dimensions("standard")),
        ({"batch": True}, Dimensions("batch")),
        ({"batch": True, "service_tier": "default"}, Dimensions("batch")),
        ({"batch": False, "service_tier": "flex"}, Dimensions("flex")),
        ({"service_tier": "default"}, Dimensions("standard")),
        ({"service_tier": "priority"}, Dimensions("priority")),
    ],
)
def test_a_row_says_its_batch_and_tier_where_it_is_grouped_by_them(
    tmp_path, grouped, dimensions
):
    """What is grouped by neither says nothing of them."""
    [used] = read(tmp_path, completions(**grouped)).used

    assert used.dimensions == dimensions


def test_audio_and_images_are_parts_of_all_input(tmp_path):
    """Whether `input_tokens` has them, as it has since the parts are named, or not."""
    parts = {
        "input_text_tokens": 60,
        "input_audio_tokens": 30,
        "input_image_tokens": 10,
        "output_text_tokens": 8,
        "output_audio_tokens": 2,
        "input_cached_audio_tokens": 5,
        "input_cached_tokens": 20,
    }
    [whole] = read(tmp_path, completions(**parts)).used
    [text] = read(tmp_path, completions(**parts, input_tokens=60, output_tokens=8)).used

    assert (
        whole.counts
        == text.counts
        == {
            "input_tokens": 100,
            "cache_read_tokens": 20,
            "cache_read_audio_tokens": 5,
            "input_audio_tokens": 30,
            "input_image_tokens": 10,
            "output_tokens": 10,
            "output_audio_tokens": 2,
        }
    )


def test_audio_without_the_parts_is_said(tmp_path):
    """It may be beside the input, or in it; where it is more than that, it is beside."""
    unclear = read(tmp_path, completions(input_audio_tokens=40))
    beside = read(tmp_path, completions(input_audio_tokens=400))

    assert "may leave audio out" in unclear.notes[-1]
    assert unclear.used[0].counts["input_tokens"] == 100
    assert beside.used[0].counts["input_tokens"] == 500


@pytest.mark.parametrize(
    "name, column, theirs, operation",
    [
        ("embeddings", "input_tokens", "input_tokens", "embeddings"),
        ("moderations", "input_tokens", "input_tokens", "moderations"),
        ("images", "image_count", "images", "images"),
        ("audio_speeches", "input_characters", "characters", "audio"),
        ("audio_transcriptions", "audio_seconds", "seconds", "audio"),
    ],
)
def test_other_pages_are_of_their_own_operations(
    tmp_path, name, column, theirs, operation
):
    """They say what was counted, and only calls of that kind are compared with them."""
    row = {"model": "m", theirs: 7, "num_model_requests": 2}
    named = read(tmp_path, row | {"object": f"organization.usage.{name}.result"})
    unnamed = read(
        tmp_path, row | ({"model": "omni-moderation"} if "mod" in name else {})
    )

    for export in (named, unnamed):
        assert export.operations == {operation}
        assert (export.used[0].counts, export.used[0].requests) == ({column: 7}, 2)


def test_what_is_charged_for_no_model_has_its_name(tmp_path):
    """Searches, say; and what names nothing is all of its day, which is said."""
    item = {"object": "organization.costs.result", "amount": {"value": 0.5}}
    found = read(
        tmp_path,
        item | {"line_item": "gpt-x, cached input"},
        item | {"line_item": "web search tool calls | gpt-x"},
    )
    totals = read(tmp_path, item | {"line_item": None})

    assert [one.model for one in found.charged] == [
        "gpt-x",
        "web search tool calls | gpt-x",
    ]
    assert totals.charged == (Charged(DAY, None, 0.5),)
    assert "line item" in totals.notes[-1] and len(found.notes) == 1


def test_the_dashboard_s_daily_totals_are_read(tmp_path):
    """A day a line, no line item; a day without use has no amount."""
    file = tmp_path / "cost.tsv"
    head = (
        "start_time\tend_time\tamount_value\tamount_currency\tline_item\tproject_id\n"
    )
    days = f"{START}\t{START + 86400}\t0.25\tusd\t\t\n{START + 86400}\t{START + 172800}\t\t\t\t\n"
    file.write_text(head + days)

    found = read_export(file)

    assert found.charged == (Charged(DAY, None, 0.25),)
    assert len(found.days) == 2

"""Anthropic's reports, by what changes a price."""

import json
from datetime import date

import pytest

from lectr_lab.analysis.reconcile.exports.read import read_export
from lectr_lab.analysis.reconcile.exports.shape import Charged, Dimensions

DAY = date(2026, 11, 2)


def read(tmp_path, *results):
    file = tmp_path / "report.json"
    bucket = {"starting_at": "2026-11-02T00:00:00Z", "results": list(results)}
    file.write_text(json.dumps({"data": [bucket], "has_more": False}))
    return read_export(file)


def messages(**more):
    return {
        "model": "claude-x",
        "uncached_input_tokens": 100,
        "output_tokens": 10,
    } | more


@pytest.mark.parametrize(
    "grouped, dimensions",
    [
        ({}, Dimensions()),
        ({"service_tier": "standard"}, Dimensions("standard")),
        ({"service_tier": "batch"}, Dimensions("batch")),
        ({"service_tier": "priority"}, Dimensions("priority")),
        ({"speed": "fast"}, Dimensions("fast")),
        ({"speed": "fast", "service_tier": "standard"}, Dimensions("fast")),
        ({"speed": "standard", "service_tier": "batch"}, Dimensions("batch")),
        ({"context_window": "0-200k"}, Dimensions(long=False)),
        ({"context_window": "200k-1M"}, Dimensions(long=True)),
        ({"inference_geo": "us"}, Dimensions(geo="us")),
        ({"inference_geo": "global"}, Dimensions(geo="")),
        ({"inference_geo": "not_available"}, Dimensions(geo="")),
    ],
)
def test_a_row_says_what_it_is_grouped_by(tmp_path, grouped, dimensions):
    """Tier, speed, window and place."""
    [used] = read(tmp_path, messages(**grouped)).used

    assert used.dimensions == dimensions


def test_searches_are_counted(tmp_path):
    """They are billed by themselves."""
    [used] = read(tmp_path, messages(server_tool_use={"web_search_requests": 3})).used

    assert used.counts["web_searches"] == 3


def test_claude_code_s_report_is_of_that_program(tmp_path):
    """A record has a part for each model; a subscription's is on no bill of tokens."""
    part = {
        "model": "claude-x",
        "tokens": {"input": 1, "output": 2, "cache_read": 3, "cache_creation": 4},
        "estimated_cost": {"currency": "USD", "amount": 186},
    }
    record = {"date": "2026-11-02T00:00:00Z", "customer_type": "api"}
    plan = record | {"customer_type": "subscription", "model_breakdown": [part] * 5}
    file = tmp_path / "claude_code.json"
    data = [record | {"model_breakdown": [part, part]}, plan]
    file.write_text(json.dumps({"data": data, "has_more": False}))

    found = read_export(file)

    assert found.clients == {"claude-code"}
    assert [used.counts for used in found.used] == 2 * [
        {
            "input_tokens": 8,
            "cache_read_tokens": 3,
            "cache_write_tokens": 4,
            "output_tokens": 2,
        }
    ]
    assert found.charged == 2 * (Charged(DAY, "claude-x", 1.86),)
    assert "1 of its rows are of a subscription" in found.notes[1]


def test_costs_of_no_model_have_the_name_of_what_they_are(tmp_path):
    """Searches and containers; an ungrouped report is one amount a day."""
    found = read(
        tmp_path,
        {"amount": "100", "model": "claude-x", "cost_type": "tokens"},
        {"amount": "50", "model": None, "cost_type": "web_search"},
        {"amount": "25.5", "model": None, "cost_type": None, "description": None},
    )

    assert found.charged == (
        Charged(DAY, "claude-x", 1.0),
        Charged(DAY, "web_search", 0.5),
        Charged(DAY, None, 0.255),
    )


@pytest.mark.parametrize(
    "kind, tier", [("batch", "batch"), ("standard", "standard"), ("message", None)]
)
def test_the_console_s_kind_of_usage_may_be_a_tier(tmp_path, kind, tier):
    """And may be something else, which says nothing of a price."""
    file = tmp_path / "usage.csv"
    file.write_text(
        "usage_date_utc,model_version,usage_type,usage_input_tokens_no_cache,"
        f"usage_output_tokens\n2026-11-02,claude-x,{kind},100,10\n"
    )

    [used] = read_export(file).used

    assert used.dimensions == Dimensions(tier)

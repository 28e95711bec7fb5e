"""Google's billing export: what SKUs say, whose rows they are, and what was given back."""

import json
from datetime import date

import pytest

from lectr_lab.analysis.reconcile.exports.google import sku
from lectr_lab.analysis.reconcile.exports.read import read_export
from lectr_lab.analysis.reconcile.exports.shape import Charged, Dimensions
from lectr_lab.core.errors import ConfigError

DAY = date(2025, 11, 20)
HEAD = (
    "Service description,SKU description,Usage start date,Usage amount,Usage unit,"
    "Cost ($),Promotions and others ($)"
)


@pytest.mark.parametrize(
    "name, model, column, cached, dimensions",
    [
        (
            "Generate content input token count gemini 2.5 flash short input text",
            *("gemini 2.5 flash", "input_tokens", False, Dimensions("standard", False)),
        ),
        (
            "Generate content output token count Gemini 2.5 Pro long output text",
            *("gemini 2.5 pro", "output_tokens", False, Dimensions("standard", True)),
        ),
        (
            "Generate content input token count gemini 3.1 flash lite preview text",
            *(
                "gemini 3.1 flash lite preview",
                "input_tokens",
                False,
                Dimensions("standard", False),
            ),
        ),
        (
            "Generate_content text output token count for gemini 3 flash batch",
            *("gemini 3 flash", "output_tokens", False, Dimensions("batch", False)),
        ),
        (
            "Generate content input token count gemini 3.7 flash text flex caching",
            *("gemini 3.7 flash", "input_tokens", True, Dimensions("flex", False)),
        ),
        (
            "Generate content input token count gemini 2.5 flash input audio",
            *(
                "gemini 2.5 flash",
                "input_audio_tokens",
                False,
                Dimensions("standard", False),
            ),
        ),
        (
            "Gemini 2.5 Pro Thinking Text Output - Predictions",
            *("gemini 2.5 pro", "output_tokens", False, Dimensions("standard", False)),
        ),
    ],
)
def test_a_sku_is_a_model_and_what_it_counts(name, model, column, cached, dimensions):
    """In the words of bills."""
    assert sku(name) == (model, column, cached, dimensions)


def test_searches_are_counted_as_such():
    """They are billed by themselves."""
    assert sku("Number of queries with search grounding").column == "web_searches"


def test_the_console_s_table_is_read_and_credits_stand_apart(tmp_path):
    """Other services are left out."""
    file = tmp_path / "bill.csv"
    rows = [
        (
            "Gemini API,Generate content output token count gemini 2.5 flash short output text,"
            "2025-11-20,12000,count,0.03,-0.01"
        ),
        "Cloud Storage,Standard storage,2025-11-20,1,gibibyte,5,0",
    ]
    file.write_text("\n".join([HEAD, *rows]))

    found = read_export(file)

    assert found.used[0].counts == {"output_tokens": 12_000}
    assert found.charged == (
        Charged(DAY, "gemini 2.5 flash", 0.03),
        Charged(DAY, "credits", -0.01),
    )
    assert "1 of its rows are of other services" in found.notes[-1]
    assert found.tz == "America/Los_Angeles"


def test_bigquery_s_rows_are_read(tmp_path):
    """Nested, a row a line, with a list of credits; another money is left out."""
    row = {
        "service": {"description": "Gemini API"},
        "sku": {
            "description": "Generate content input token count gemini 2.5 flash text"
        },
        "usage_start_time": "2025-11-20 08:00:00 UTC",
        "usage": {"amount": 1000.0, "unit": "count"},
        "cost": 0.5,
        "currency": "USD",
        "credits": [{"amount": -0.25}],
    }
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(map(json.dumps, [row, row | {"currency": "TWD"}])))

    found = read_export(file)

    assert [used.counts for used in found.used] == 2 * [{"input_tokens": 1000}]
    assert [one.usd for one in found.charged] == [0.5, -0.25]
    assert "in TWD, not in US dollars" in found.notes[-1]
    assert found.tz == "UTC"


def test_a_table_without_days_is_said(tmp_path):
    """With what to do."""
    file = tmp_path / "bill.csv"
    file.write_text(
        "Service description,SKU description,Usage amount,Cost ($)\n"
        "Gemini API,Generate content input token count gemini 2.5 flash text,1,1\n"
    )

    with pytest.raises(ConfigError, match="group the cost table by day"):
        read_export(file)

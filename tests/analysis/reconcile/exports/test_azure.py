"""Azure's cost export: what meters say, whose rows they are, and in which money."""

from datetime import date

import pytest

from lectr_lab.analysis.reconcile.exports.azure import meter
from lectr_lab.analysis.reconcile.exports.read import read_export
from lectr_lab.analysis.reconcile.exports.shape import Charged

HEAD = (
    "Date,MeterCategory,MeterSubCategory,MeterName,Quantity,UnitOfMeasure,"
    "CostInBillingCurrency,BillingCurrency"
)


@pytest.mark.parametrize(
    "name, model, column, cached, tier",
    [
        ("gpt 4o 1120 Inp glbl Tokens", "gpt 4o 1120", "input", False, "standard"),
        (
            "gpt 4o 1120 cached Inp glbl Tokens",
            "gpt 4o 1120",
            "input",
            True,
            "standard",
        ),
        (
            "gpt-4o-mini-0718-Outp-regnl Tokens",
            "gpt 4o mini 0718",
            "output",
            False,
            "standard",
        ),
        ("o3 0416 Batch Outp glbl Tokens", "o3 0416", "output", False, "batch"),
        ("GPT 5 outpt Glbl 1M Tokens", "gpt 5", "output", False, "standard"),
        ("5.4 opt Dz 1M Tokens", "5.4", "output", False, "standard"),
        (
            "o4-mini 0416 Inp Data Zone Tokens",
            "o4 mini 0416",
            "input",
            False,
            "standard",
        ),
    ],
)
def test_a_meter_s_name_is_a_model_and_what_it_counts(
    name, model, column, cached, tier
):
    """In the abbreviations of Azure's price list."""
    found = meter(name)

    assert found[:3] == (model, f"{column}_tokens", cached)
    assert found.dimensions.tier == tier


def test_a_meter_of_something_else_counts_nothing_of_ours():
    """It has a cost all the same."""
    assert meter("Provisioned Managed Global Unit").column is None


def test_tokens_are_what_the_unit_says_and_other_services_are_left_out(tmp_path):
    """Thousands or millions; storage is no model."""
    file = tmp_path / "cost.csv"
    rows = [
        "11/20/2025,Foundry Models,Azure OpenAI,gpt 4o 1120 Inp glbl Tokens,12.5,1K,0.03,USD",
        "11/20/2025,Foundry Models,Azure OpenAI,gpt 4o 1120 cached Inp glbl Tokens,2,1K Tokens,0.01,USD",
        "11/20/2025,Foundry Models,Azure OpenAI,GPT 5 outpt Glbl 1M Tokens,0.5,1M,5,USD",
        "11/20/2025,Storage,Blob,LRS Data Stored,1,1 GB,0.5,USD",
    ]
    file.write_text("\n".join([HEAD, *rows]))

    found = read_export(file)

    day = date(2025, 11, 20)
    assert [used.counts for used in found.used] == [
        {"input_tokens": 12_500},
        {"input_tokens": 2_000, "cache_read_tokens": 2_000},
        {"output_tokens": 500_000},
    ]
    assert found.charged[0] == Charged(day, "gpt 4o 1120", 0.03)
    assert "1 of its rows are of other services" in found.notes[-1]


def test_another_money_is_not_taken_for_dollars(tmp_path):
    """Unless the export has dollars as well."""
    file = tmp_path / "cost.csv"
    row = "11/20/2025,Foundry Models,Azure OpenAI,gpt 4o 1120 Inp glbl Tokens,1,1K,0.03,EUR"
    file.write_text(f"{HEAD}\n{row}\n")
    euros = read_export(file)
    file.write_text(f"{HEAD},costInUsd\n{row},0.04\n")
    both = read_export(file)

    assert euros.charged == () and "in EUR, not in US dollars" in euros.notes[-1]
    assert [one.usd for one in both.charged] == [0.04]

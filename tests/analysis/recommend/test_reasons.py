"""Reasons in words, with figures."""

from datetime import date

import pytest

from lectr_lab.analysis.recommend.reasons import (
    price_reasons,
    target_reasons,
    traffic_reasons,
)
from lectr_lab.core.model_catalog import targets

TODAY = date(2026, 11, 24)
ROW = {
    "provider": "openai",
    "model": "gpt-4o-2024-08-06",
    "requests": 4210,
    "counted": 4210,
    "input_p50_tokens": 212.0,
    "output_p95_tokens": 60.0,
    "estimated": 0,
    "unsaid": False,
}


def target(provider, model, name):
    found = targets(provider, model, TODAY)
    return next(t for t in found if t.model.name == name)


def test_few_requests_estimates_and_silence_are_said():
    """What the figures rest on."""
    said = traffic_reasons(
        ROW | {"requests": 9, "counted": 9, "estimated": 3, "unsaid": True}
    )

    assert "few requests: 9" in said
    assert "the tokens of 33 % of the requests are an estimate" in said
    assert any("do not say whether they use tools" in reason for reason in said)


def test_nothing_is_said_of_tokens_nobody_counted():
    """No figure from no row."""
    assert traffic_reasons(ROW | {"counted": 0}) == []


def test_the_target_has_its_source_and_its_days():
    """Who names it, where, when, and when both retire."""
    said = target_reasons(ROW, target("openai", "gpt-4o", "gpt-4o-mini"))

    assert "Lectr's own list names gpt-4o-mini for it" in said[0]
    assert "https://" in said[0] and "2026-11-24" in said[0]
    assert "gpt-4o-2024-08-06 retires on 2027-01-14" in said
    assert "gpt-4o-mini retires on 2027-01-14" in said


def test_azure_needs_a_deployment():
    """A model at Azure is there only where one deployed it."""
    group = ROW | {"provider": "azure", "model": "gpt-5.4"}

    said = target_reasons(group, target("azure", "gpt-5.4", "gpt-5.4-mini"))

    assert "your Azure resource needs a deployment of gpt-5.4-mini" in said


@pytest.mark.parametrize("anew, words", [(False, "as many tokens"), (True, "3 times")])
def test_the_price_says_what_it_assumes(anew, words):
    """The same tokens, or three times the answer."""
    said = price_reasons(target("openai", "gpt-4o", "gpt-4o-mini"), 10.0, 1.0, anew)

    assert "$1.00" in said and "$10.00" in said and "90 % less" in said
    assert words in said

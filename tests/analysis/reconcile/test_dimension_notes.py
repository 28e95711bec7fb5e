"""What an export leaves open is said where it changes a price."""

from datetime import date

import pytest

from lectr_lab.analysis.reconcile.dimension_notes import dimension_notes
from lectr_lab.analysis.reconcile.exports.read import Export
from lectr_lab.analysis.reconcile.exports.shape import Charged, Dimensions, Used

DAY = date(2026, 11, 2)
SONNET = "claude-sonnet-4-5-20250929"
COUNTS = {"input_tokens": 10, "output_tokens": 1}


def notes(provider: str, model: str, *dimensions: Dimensions) -> tuple[str, ...]:
    used = tuple(Used(DAY, model, 1, COUNTS, one) for one in dimensions)
    return dimension_notes(Export(provider, used))


@pytest.mark.parametrize(
    "dimensions, words",
    [
        (Dimensions(), ["batches", "how long prompts were", "where requests ran"]),
        (Dimensions("batch", geo=""), ["how long prompts were"]),
        (Dimensions(long=False, geo="us"), ["batches"]),
        (Dimensions("standard", True, ""), []),
    ],
)
def test_what_is_not_told_is_said_with_what_to_ask_for(dimensions, words):
    """Each dimension that changes the model's price, and no other."""
    said = notes("anthropic", SONNET, dimensions)

    assert len(said) == len(words)
    for sentence, word in zip(said, words, strict=True):
        assert word in sentence and SONNET in sentence and "group_by[]" in sentence


def test_a_model_without_such_prices_needs_no_note():
    """Nothing is left open that matters."""
    assert notes("openai", "nobody-knows", Dimensions()) == ()


def test_many_models_are_some_and_a_number():
    """A sentence stays one."""
    models = [f"gpt-4.1{kind}" for kind in ("", "-mini", "-nano")] + ["gpt-4o", "o3"]
    used = tuple(Used(DAY, model, 1, COUNTS) for model in models)

    [batches, *_] = dimension_notes(Export("openai", used))

    assert "gpt-4.1, gpt-4.1-mini, gpt-4.1-nano and 2 more" in batches


def test_costs_alone_are_said_to_be_so():
    """They are sums."""
    [said] = dimension_notes(Export("azure", charged=(Charged(DAY, "m", 1.0),)))

    assert "not what was counted" in said


def test_searches_that_an_export_does_not_have_are_said():
    """Where the log has some."""
    used = (Used(DAY, "nobody-knows", 1, COUNTS),)
    found = (Used(DAY, "nobody-knows", 1, COUNTS | {"web_searches": 1}),)

    [said] = dimension_notes(Export("openai", used), searches=3)

    assert said.startswith("No search is in it, and the log has 3")
    assert dimension_notes(Export("openai", used)) == ()
    assert dimension_notes(Export("openai", found), searches=3) == ()

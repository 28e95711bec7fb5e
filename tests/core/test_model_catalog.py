"""The table of cheaper models: all of the documented list, and only what is known."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from lectr_lab.core.model_catalog import base_name, known_model, models, steps, targets
from lectr_lab.core.pricing.price import PriceQuery, find_price

TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, tzinfo=UTC)

# As Lectr documents them.
DOCUMENTED = {
    ("gpt-4o", "gpt-4o-mini"),
    ("gpt-4-turbo", "gpt-4o"),
    ("gpt-4", "gpt-4o"),
    ("gpt-4.1", "gpt-4.1-mini"),
    ("gpt-4.1-mini", "gpt-4.1-nano"),
    ("gpt-3.5-turbo", "gpt-4.1-nano"),
    ("o1", "o1-mini"),
    ("o1-mini", "gpt-4o"),
    ("o3", "o3-mini"),
    ("o3-mini", "gpt-4o-mini"),
    ("o4-mini", "gpt-4o-mini"),
    ("claude-3-opus", "claude-3-5-sonnet"),
    ("claude-3-opus", "claude-3-5-haiku"),
    ("claude-3-5-sonnet", "claude-3-5-haiku"),
    ("claude-3-sonnet", "claude-3-5-haiku"),
    ("llama-3.2-90b-vision", "llama-3.1-70b-versatile"),
    ("llama-3.1-70b-versatile", "llama-3.1-8b-instant"),
    ("mixtral-8x7b-32768", "llama-3.1-8b-instant"),
    ("gemma2-9b-it", "llama-3.1-8b-instant"),
    ("gemini-1.5-pro", "gemini-1.5-flash"),
    ("gemini-2.0-flash", "gemini-1.5-flash"),
}


def names(provider, model, day=TODAY):
    return [target.model.name for target in targets(provider, model, day)]


def test_the_documented_list_is_all_there():
    """Each row, and no row more under that name."""
    documented = {
        (model, step.to)
        for step in steps()
        if step.source == "documented"
        for model in step.from_models
    }

    assert documented == DOCUMENTED


@pytest.mark.parametrize("present, target", sorted(DOCUMENTED))
def test_each_documented_row_is_followed(present, target):
    """Long ago, when every one of these was served, the first step leads there."""
    provider = known_model_anywhere(present).providers[0]

    assert target in names(provider, present, date(2023, 1, 1))


def known_model_anywhere(name):
    return next(model for model in models() if model.name == name)


def test_the_careful_target_stands_before_the_bold_one():
    """claude-3-opus has two: the nearest first."""
    assert names("anthropic", "claude-3-opus-20240229", date(2024, 12, 1))[:2] == [
        "claude-3-5-sonnet",
        "claude-3-5-haiku",
    ]


def test_every_line_says_where_it_is_from():
    """A page and a day, no step in a circle, every name in the table."""
    for step in steps():
        assert step.page.startswith("https://")
        assert step.checked == TODAY
        for name in step.from_models:
            present, target = known_model_anywhere(name), known_model_anywhere(step.to)
            assert set(present.providers) & set(target.providers)
            assert step.to != name
    for model in models():
        assert model.source and model.checked == TODAY


def test_no_model_is_reached_from_itself():
    """Whatever is retired: the way down never comes back."""
    for model in models():
        for provider in model.providers:
            assert model.name not in names(provider, model.name, date(2030, 1, 1))


def test_every_target_that_serves_today_has_a_price():
    """At each of its providers, so that a missing price is a fault and not the rule."""
    for step in steps():
        target = known_model_anywhere(step.to)
        for provider in target.providers:
            if target.serves(provider, TODAY):
                asked = PriceQuery(provider, target.name, None, None, None, NOW)
                assert find_price(asked) is not None, (provider, target.name)


def test_extended_steps_lead_to_a_lower_list_price():
    """Input and output of the base tier: an enlarged list that is dearer is a fault."""
    for step in steps():
        if step.source != "price list":
            continue
        for name in step.from_models:
            provider = known_model_anywhere(name).providers[0]
            present, target = (
                find_price(PriceQuery(provider, model, None, None, None, NOW)).price
                for model in (name, step.to)
            )
            assert base(target.input_mtok) < base(present.input_mtok), step
            assert base(target.output_mtok) < base(present.output_mtok), step


def base(usd):
    return getattr(usd, "base", usd)


def test_limits_and_retirements_are_those_of_their_source(shared):
    """Against the list that the table was read from, where it lists the very name."""
    listed = pl.read_parquet(shared / "datasets/prices/litellm_prices.parquet")
    prefixes = {"openai": "", "anthropic": "", "gemini": "gemini/", "groq": "groq/"}
    prefixes["azure"] = "azure/"
    rows = {row["key"]: row for row in listed.to_dicts()}
    checked = 0
    for model in models():
        provider = model.providers[0]
        row = rows.get(prefixes[provider] + model.name) or rows.get(model.name)
        if row is None or not model.source.startswith("litellm"):
            continue
        checked += 1
        assert model.context_tokens == row["max_input_tokens"], model
        assert model.max_output_tokens == row["max_output_tokens"], model
        for where in model.providers:
            said = rows.get(prefixes[where] + model.name, {}).get("deprecation_date")
            if said:
                assert str(model.retired_on[where]) == said
    assert checked > 40


@pytest.mark.parametrize(
    "written, name",
    [
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("gpt-4-0613", "gpt-4"),
        ("gpt-3.5-turbo-0125", "gpt-3.5-turbo"),
        ("claude-3-5-sonnet-20241022", "claude-3-5-sonnet"),
        ("claude-3-5-haiku-latest", "claude-3-5-haiku"),
        ("models/gemini-1.5-pro-002", "gemini-1.5-pro"),
        ("GPT-4o", "gpt-4o"),
        ("mixtral-8x7b-32768", "mixtral-8x7b-32768"),
        ("ft:gpt-4o-mini-2024-07-18:acme::9x", None),
        ("gpt-4o-mini-2024-07-18.ft-0123456789", None),
    ],
)
def test_a_name_without_its_version(written, name):
    """Dated snapshots are their model; a fine-tune is nobody's."""
    assert base_name(written) == name


@pytest.mark.parametrize(
    "provider, model",
    [
        ("openai", "ft:gpt-4o-2024-08-06:acme::7p4lURel"),
        ("openai", "gpt-4o-audio-preview-2024-12-17"),
        ("openai", "claude-sonnet-5-5"),  # another vendor's
        ("azure", "our-own-deployment"),
        ("groq", "llama-9"),
        ("", ""),
    ],
)
def test_what_is_not_known_goes_nowhere(provider, model):
    """No fine-tune, no special model, no model of another provider."""
    assert targets(provider, model, TODAY) == ()


def test_azure_has_its_own_names_and_days():
    """gpt-35-turbo is gpt-3.5-turbo; a retirement at OpenAI is none at Azure."""
    assert known_model("azure", "gpt-35-turbo").name == "gpt-3.5-turbo"
    nano = known_model("azure", "gpt-4.1-nano")
    assert nano.serves("azure", TODAY) and not nano.serves("openai", TODAY)


def test_what_follows_a_retired_target_is_reached():
    """o3 → o3-mini, which is gone → gpt-4o-mini, which goes soon → gpt-6-luna."""
    assert names("openai", "o3") == ["o3-mini", "gpt-4o-mini", "gpt-6-luna"]
    assert names("openai", "o3", date(2025, 6, 1)) == ["o3-mini"]


def test_a_target_serves_a_month_or_it_is_retired():
    """gpt-4o-mini is shut down on 2027-01-14."""
    mini = known_model("openai", "gpt-4o-mini")

    assert mini.serves("openai", date(2026, 12, 15))
    assert not mini.serves("openai", date(2026, 12, 16))


def test_a_target_that_ends_within_a_quarter_is_known_to():
    """gpt-4o-mini again; ninety days before, it is not called ending."""
    mini = known_model("openai", "gpt-4o-mini")

    assert mini.ends_soon("openai", date(2026, 10, 16)) is None
    assert mini.ends_soon("openai", date(2026, 10, 17)) == date(2027, 1, 14)
    assert mini.ends_soon("openai", date(2027, 6, 1)) == date(2027, 1, 14)
    assert mini.ends_soon("nobody", date(2026, 10, 17)) is None

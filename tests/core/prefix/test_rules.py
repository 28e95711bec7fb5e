"""Each vendor's rules for caching, as they stand in their table."""

from datetime import date

import msgspec
import pytest

from lectr_lab.core.event import Event
from lectr_lab.core.prefix import joints
from lectr_lab.core.prefix.rules import cache_rules, rule_of
from lectr_lab.core.registry import shipped

RULES = cache_rules()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_says_where_it_was_read(rule):
    """A page and a day."""
    assert rule.source.startswith("https://")
    assert date(2026, 11, 1) <= rule.checked <= date.today()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_holds_of_any_model(rule):
    """The last entry takes what the others leave, and none stands behind it."""
    assert rule.model[-1].models == ("*",)
    assert all("*" not in one.models for one in rule.model[:-1])
    assert rule.of_model(None).minimum_tokens > 0


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_what_a_rule_names_is_there(rule):
    """Providers of the registry, fields that are read, columns of the log."""
    fields = {field.name for field in msgspec.structs.fields(joints._Body)} | {"images"}
    written = {one.longer_writes for one in rule.model} - {None}

    assert set(rule.providers) <= shipped().keys()
    assert {one.name.partition(".")[0] for one in rule.parameters} <= fields
    assert written <= set(Event.__struct_fields__)
    assert all(bool(one.longer_s) == bool(one.longer_how) for one in rule.model)


@pytest.mark.parametrize(
    ("provider", "model", "minimum_tokens", "lifetime_s"),
    [
        ("anthropic", "claude-opus-5-5", 512, 300),
        ("anthropic", "claude-sonnet-5", 1024, 300),
        ("anthropic", "claude-sonnet-5-5-20260901", 512, 300),
        ("anthropic", "claude-opus-4-7", 2048, 300),
        ("anthropic", "claude-haiku-4-5", 4096, 300),
        ("anthropic", "claude-3-5-haiku-latest", 2048, 300),
        ("openrouter", "anthropic/claude-opus-4.6", 4096, 300),
        ("openai", "gpt-6-sol", 1024, 1800),
        ("openai", "gpt-5.4", 1024, 1800),
        ("openai", "gpt-5.4-mini", 1024, 300),
        ("openai", "GPT-4o", 1024, 300),
        ("gemini", "gemini-2.5-pro", 2048, None),
        ("gemini", "gemini-3.8-flash", 4096, None),
        ("groq", "openai/gpt-oss-120b", 1024, 7200),
        ("deepseek", "deepseek-chat", 64, 7200),
    ],
)
def test_a_models_rule_is_found(provider, model, minimum_tokens, lifetime_s):
    """By the provider, or for a gateway by the model's name."""
    found = rule_of(provider, model).of_model(model)

    assert (found.minimum_tokens, found.lifetime_s) == (minimum_tokens, lifetime_s)


def test_who_documents_nothing_has_no_rule():
    """Nothing is made up for a provider or a model that nobody knows."""
    assert rule_of("perplexity", "sonar") is None
    assert rule_of(None, None) is None

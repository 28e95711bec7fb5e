"""Providers and their prefixes, as other tools write them."""

import pytest

from lectr_lab.log.importers.provider_names import (
    model_and_provider,
    provider_name,
    provider_of_model,
)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("OpenAI", "openai"),
        ("openai.responses", "openai"),
        ("anthropic.messages", "anthropic"),
        ("google.generative-ai", "gemini"),
        ("google.vertex.chat", "vertex_ai"),
        ("gcp.vertex_ai", "vertex_ai"),
        ("vertex_ai-anthropic_models", "vertex_ai"),
        ("az.ai.openai", "azure"),
        ("AWS", "aws"),
        ("aws.bedrock", "bedrock"),
        ("x_ai", "xai"),
        ("together_ai", "together"),
        ("our-own.host", "our-own.host"),
        ("", None),
        (None, None),
    ],
)
def test_a_provider_has_the_logs_name(theirs, ours):
    """One that is not known keeps its own."""
    assert provider_name(theirs) == ours


@pytest.mark.parametrize(
    ("model", "provider", "found"),
    [
        ("openai/gpt-4o", "openai", ("gpt-4o", "openai")),
        ("openai/gpt-4o", "openrouter", ("openai/gpt-4o", "openrouter")),
        ("openai/gpt-4o", None, ("gpt-4o", "openai")),
        ("meta-llama/llama-3", "groq", ("meta-llama/llama-3", "groq")),
        ("azure/my-deployment", "azure", ("my-deployment", "azure")),
        ("vertex_ai/claude-x@1", "vertex_ai-anthropic", ("claude-x@1", "vertex_ai")),
        ("bedrock/us-east-1/meta.x", "bedrock", ("meta.x", "bedrock")),
        ("bedrock/invoke/meta.x", "bedrock", ("meta.x", "bedrock")),
        ("someone/else", None, ("someone/else", None)),
        ("openai/", "openai", ("openai/", "openai")),
        (None, "openai", (None, "openai")),
    ],
)
def test_a_prefix_comes_off_where_it_is_the_providers(model, provider, found):
    """And nothing else does."""
    assert model_and_provider(model, provider) == found


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("gpt-4o", "openai"),
        ("claude-x", "anthropic"),
        ("gemini-x", "gemini"),
        ("llama-3.1-8b-instant", None),
        ("mine", None),
        (None, None),
    ],
)
def test_a_model_tells_its_seller_where_there_is_one(model, provider):
    """Of open weights anybody may be."""
    assert provider_of_model(model) == provider

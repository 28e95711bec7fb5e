"""Which provider, and which URL."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.config.settings import ProviderSettings, Settings
from lectr_lab.core.headers import ClientHeaders
from lectr_lab.core.registry import provider_of_key, registry, shipped
from lectr_lab.core.routing.providers import (
    Address,
    ResolvedProvider,
    provider_url,
    resolve,
)

CHAT = b"/v1/chat/completions"
GOOGLE = "https://generativelanguage.googleapis.com"


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("gpt-4o-mini", "openai"),
        ("GPT-4o", "openai"),
        ("chatgpt-4o-latest", "openai"),
        ("o1", "openai"),
        ("o3-mini", "openai"),
        ("ft:gpt-4o:org::id", "openai"),
        ("text-embedding-3-small", "openai"),
        ("babbage-002", "openai"),
        ("claude-some-model-of-next-year", "anthropic"),
        ("llama-3.1-8b-instant", "groq"),
        ("mixtral-8x7b-32768", "groq"),
        ("gemma2-9b-it", "groq"),
        ("meta-llama/llama-guard-4-12b", "groq"),
        ("openai/gpt-oss-120b", "groq"),
        ("gemini-2.0-flash", "gemini"),
    ],
)
def test_a_model_name_tells_its_provider(model, provider):
    """The registry's patterns."""
    assert resolve(ClientHeaders(), model, CHAT) == ResolvedProvider(provider, "model")


@pytest.mark.parametrize(
    ("key", "provider"),
    [
        (b"sk-ant-x", "anthropic"),
        (b"gsk_x", "groq"),
        (b"AIzax", "gemini"),
        (b"sk-proj-x", "openai"),
        (b"sk-or-v1-x", "openrouter"),
        (b"xai-x", "xai"),
    ],
)
@pytest.mark.parametrize("model", ["brand-new", "meta-llama/llama-4", "gpt-4o", None])
def test_a_key_that_is_one_vendors_alone_goes_to_nobody_else(key, provider, model):
    """Whatever the model's name says."""
    target = resolve(ClientHeaders(provider_key=key), model, CHAT)

    assert target == ResolvedProvider(provider, "key_prefix")


def test_an_unknown_model_goes_to_openai_and_says_so():
    """Never an error."""
    assert resolve(ClientHeaders(), "brand-new", CHAT) == ResolvedProvider(
        "openai", "default", True
    )


def test_the_header_wins_over_the_model():
    """X-Lectr-Provider overrides detection."""
    target = resolve(ClientHeaders(provider="azure"), "claude-3", CHAT)

    assert target == ResolvedProvider("azure", "header")


def test_an_invalid_header_falls_back_to_openai_not_to_detection():
    """As the headers reference has it: logged, defaults to openai."""
    target = resolve(ClientHeaders(provider_invalid="bedrock"), "claude-3", CHAT)

    assert target == ResolvedProvider("openai", "default", True)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        (b"/openai/v1/models", ResolvedProvider("groq", "path")),
        (CHAT, ResolvedProvider("openai", "default", True)),
        (b"/v1/messages", ResolvedProvider("anthropic", "path")),
        (b"/v1/messages/", ResolvedProvider("anthropic", "path")),
        (b"/v1/messages/count_tokens", ResolvedProvider("anthropic", "path")),
        (
            b"/v1/messages/batches/msgbatch_1/results",
            ResolvedProvider("anthropic", "path"),
        ),
        (b"/v1/messagesx", ResolvedProvider("openai", "default", True)),
    ],
)
def test_a_vendors_own_path_is_that_vendors(path, target):
    """Where neither model nor key tell."""
    assert resolve(ClientHeaders(), "brand-new", path) == target


paths = st.sampled_from(
    "v1/chat/completions v1/models v1/models/x v1/responses v1/messages v1//messages "
    "v1/messages/count_tokens v1/messages/batches openai/v1/chat/completions "
    "v1beta/models/m:generateContent v1/models/m:countTokens upload/v1beta/files "
    "v1beta/openai/chat/completions".split()
)
keys = st.sampled_from(
    [None, b"my-gateway", b"sk-1", b"ya29.1"]
    + [p.encode() + b"1" for row in shipped().values() for p in row.key_prefixes]
)
models = st.none() | st.sampled_from(
    "gpt-4o claude-x gemini-2.5-pro llama3 team-default qwen/q openai/gpt-oss-1 "
    "anthropic/claude-x deepseek-chat grok-4 mine-1".split()
)
named = st.sampled_from(
    [None, "openai", "anthropic", "groq", "gemini", "azure", "mine"]
)


@given(paths, keys, models, named, st.booleans(), st.booleans())
def test_no_prompt_and_no_key_go_to_another_vendor(
    path, key, model, name, bad, version
):
    """Header, path, how the key begins, model: the first that tells is who it is."""
    tables = {
        "mine": ProviderSettings(base_url="http://127.0.0.1:9", models=("mine-*",))
    }
    providers = Settings(providers=tables).registry()
    said = ClientHeaders(
        provider=name,
        provider_invalid="bedrock" if bad and name is None else None,
        provider_key=key,
        anthropic_version=version,
    )

    target = resolve(said, model, f"/{path}".encode(), providers)

    if name:
        assert target == ResolvedProvider(name, "header")
    elif bad:
        assert target == ResolvedProvider("openai", "default", True)
    elif version or "messages" in path:
        assert target == ResolvedProvider("anthropic", "path")
    elif path.startswith("openai/"):
        assert target == ResolvedProvider("groq", "path")
    elif "beta" in path or ":" in path:
        assert target == ResolvedProvider("gemini", "path")
    elif owner := provider_of_key(key or b""):
        assert target == ResolvedProvider(owner, "key_prefix")
    elif owner := model and providers.of_model(model):
        assert target == ResolvedProvider(owner, "model")
    else:
        assert target == ResolvedProvider("openai", "default", True)


@pytest.mark.parametrize(
    ("provider", "path", "url"),
    [
        ("openai", CHAT, "https://api.openai.com/v1/chat/completions"),
        ("anthropic", b"/v1/messages", "https://api.anthropic.com/v1/messages"),
        ("groq", b"/openai/v1/models", "https://api.groq.com/openai/v1/models"),
        ("gemini", CHAT, f"{GOOGLE}/v1beta/openai/chat/completions"),
        ("gemini", b"/v1beta/openai/models", f"{GOOGLE}/v1beta/openai/models"),
        (
            "gemini",
            b"/v1beta/models/m:countTokens",
            f"{GOOGLE}/v1beta/models/m:countTokens",
        ),
        (
            "gemini",
            b"/v1/models/m:generateContent",
            f"{GOOGLE}/v1/models/m:generateContent",
        ),
        ("gemini", b"/upload/v1beta/files", f"{GOOGLE}/upload/v1beta/files"),
        ("openai", b"/v1/a%2Fb/../c", "https://api.openai.com/v1/a%2Fb/../c"),
    ],
)
def test_the_path_is_appended_as_it_was_sent(provider, path, url):
    """Encoded slashes and dots stay; the host is the provider's."""
    row = registry()[provider]
    address = Address(row.base_url, row.auth)

    assert (
        provider_url(address, ResolvedProvider(provider, "model"), path, b"", "m")
        == url
    )


@pytest.mark.parametrize(
    ("path", "query", "url"),
    [
        (CHAT, b"", "/openai/deployments/my%2Fmodel/chat/completions?api-version=v9"),
        (
            CHAT,
            b"api-version=old&a=1",
            "/openai/deployments/my%2Fmodel/chat/completions?a=1&api-version=v9",
        ),
        (b"/v1/responses", b"", "/openai/v1/responses"),
        (b"/v1/responses/resp_1", b"a=1", "/openai/v1/responses/resp_1?a=1"),
    ],
)
def test_azure_is_asked_by_deployment(path, query, url):
    """The deployment is the model's name, quoted; the api-version is the operator's."""
    azure = Address("https://me.openai.azure.com", "api-key", "v9")

    got = provider_url(
        azure, ResolvedProvider("azure", "header"), path, query, "my/model"
    )

    assert got == f"https://me.openai.azure.com{url}"


def test_a_query_is_kept():
    """The client's query string is passed on."""
    url = provider_url(
        Address("http://u", "none"),
        ResolvedProvider("openai", "model"),
        b"/v1/files",
        b"a=%20",
        None,
    )

    assert url == "http://u/files?a=%20"

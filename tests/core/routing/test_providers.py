"""Which provider, and which URL."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.headers import ClientHeaders
from lectr_lab.core.registry import registry
from lectr_lab.core.routing.providers import (
    Address,
    ResolvedProvider,
    provider_url,
    resolve,
)

CHAT = b"/v1/chat/completions"


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
    [(b"sk-ant-x", "anthropic"), (b"gsk_x", "groq"), (b"AIzax", "gemini")],
)
def test_a_vendors_key_decides_where_the_model_is_unknown(key, provider):
    """So that a new vendor model does not take its key to OpenAI."""
    target = resolve(ClientHeaders(provider_key=key), "brand-new", CHAT)

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
        (b"/openai/v1/models", ResolvedProvider("groq", "default", True)),
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
    "chat/completions models models/x responses messages messages/count_tokens "
    "messages/batches messages/batches/b1/cancel".split()
)
keys = st.sampled_from([None, b"sk-1", b"gsk_1", b"AIza1", b"sk-ant-1", b"my-gateway"])
models = st.sampled_from([None, "gpt-4o", "gemini-2.5-pro", "llama3", "team-default"])


@given(path=paths, key=keys, model=models, version=st.booleans())
def test_what_is_anthropics_goes_to_nobody_else(path, key, model, version):
    """What is under /v1/messages, and what Anthropic's own clients send."""
    said = ClientHeaders(provider_key=key, anthropic_version=version)

    target = resolve(said, model, f"/v1/{path}".encode())

    if version or path.startswith("messages"):
        assert target == ResolvedProvider("anthropic", "path")
    else:
        assert target.source != "path"


@pytest.mark.parametrize(
    ("provider", "path", "url"),
    [
        ("openai", CHAT, "https://api.openai.com/v1/chat/completions"),
        ("anthropic", b"/v1/messages", "https://api.anthropic.com/v1/messages"),
        ("groq", b"/openai/v1/models", "https://api.groq.com/openai/v1/models"),
        (
            "gemini",
            CHAT,
            "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
        ),
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

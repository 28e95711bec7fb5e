"""Which provider a request is for, and the URL it goes to there.

The vendor resolved here is the only one that sees the request's key. Hosts come from
configuration alone: nothing in a request can choose one.
"""

from typing import NamedTuple
from urllib.parse import quote

import msgspec

from lectr_lab.core.event_values import ProviderSource
from lectr_lab.core.headers import ClientHeaders
from lectr_lab.core.registry import (
    AuthStyle,
    Registry,
    provider_of_key,
    registry,
)
from lectr_lab.core.routing.paths import NO_PATH, ApiPath, api_path


class Address(msgspec.Struct, frozen=True):
    """Where one provider is reached. `base_url` has no slash at its end."""

    base_url: str
    auth: AuthStyle
    api_version: str | None = None  # Azure's


class ResolvedProvider(NamedTuple):
    """The provider a request is for, and what said so."""

    provider: str
    source: ProviderSource
    unknown: bool = False


def default_addresses() -> dict[str, Address]:
    """Each provider's own address and the header its key goes out in.

    >>> default_addresses()["groq"].base_url
    'https://api.groq.com/openai/v1'
    """
    return {name: Address(row.base_url, row.auth) for name, row in registry().items()}


def resolve(
    client_headers: ClientHeaders,
    model: str | None,
    raw_path: bytes,
    providers: Registry | None = None,
) -> ResolvedProvider:
    """Which provider a request is for: the header, else the path, else how its key
    begins, else the model.

    Args:
        client_headers: the client's headers.
        model: the body's `model`, where it has one.
        raw_path: the request's path as sent.
        providers: those that a model's name can tell; None: the registry's.

    Returns:
        The provider; `unknown` where nothing named one, and it is OpenAI.

    >>> resolve(ClientHeaders(), "claude-sonnet-5", b"/v1/chat/completions").provider
    'anthropic'
    >>> resolve(ClientHeaders(), None, b"/v1/messages/count_tokens").provider
    'anthropic'
    """
    if client_headers.provider is not None:
        return ResolvedProvider(client_headers.provider, "header")
    if client_headers.provider_invalid is not None:
        return ResolvedProvider("openai", "default", unknown=True)
    path = api_path(raw_path) or NO_PATH
    if client_headers.anthropic_version:
        return ResolvedProvider("anthropic", "path")
    if path.owner is not None:
        return ResolvedProvider(path.owner, "path")
    vendor = provider_of_key(client_headers.provider_key or b"")
    if vendor is not None:
        return ResolvedProvider(vendor, "key_prefix")
    named = (providers or registry()).of_model(model) if model else None
    if named is not None:
        return ResolvedProvider(named, "model")
    return ResolvedProvider("openai", "default", unknown=True)


def native_address(
    address: Address, target: ResolvedProvider, raw_path: bytes
) -> Address:
    """The address as a request of Gemini's own form needs it: that form has its own
    header for the key. Any other stays.

    >>> gemini, path = default_addresses()["gemini"], b"/v1beta/models/m:generateContent"
    >>> native_address(gemini, ResolvedProvider("gemini", "path"), path).auth
    'x-goog-api-key'
    """
    native = target.provider == "gemini" and (api_path(raw_path) or NO_PATH).is_native
    if native and address.auth == "bearer":
        return msgspec.structs.replace(address, auth="x-goog-api-key")
    return address


def provider_url(
    address: Address,
    target: ResolvedProvider,
    raw_path: bytes,
    query: bytes,
    model: str | None,
) -> str:
    """The URL a provider is asked at; the raw path and query stay as they were sent.

    Args:
        address: where the provider is reached.
        target: which provider it is.
        raw_path: the client's path, one that `api_path` knows.
        query: the client's query string, without the question mark.
        model: the model to ask for; in Azure's URL it is the deployment's name.

    >>> base = Address("https://example.test/v1", "bearer")
    >>> provider_url(base, ResolvedProvider("openai", "model"), b"/v1/models", b"", None)
    'https://example.test/v1/models'
    """
    path = api_path(raw_path) or NO_PATH
    query_string = query.decode("latin-1")
    if target.provider == "azure" and address.api_version is not None:
        return _azure_url(address, path, query_string, model)
    base_url = _base_url(address.base_url, path)
    url = f"{base_url}/{path.sent.decode('latin-1')}"
    return url + (f"?{query_string}" if query_string else "")


def _base_url(base_url: str, path: ApiPath) -> str:
    """Gemini's own API lies beside the one that is compatible with OpenAI's."""
    if path.owner != "gemini":
        return base_url
    root = base_url.removesuffix("/openai")
    for version in ("/v1beta", "/v1"):
        root = root.removesuffix(version)
    return root + path.prefix


def _azure_url(address: Address, path: ApiPath, query: str, model: str | None) -> str:
    """Deployments are addressed by name; responses and what has no model are not.

    Source: https://learn.microsoft.com/azure/ai-foundry/openai/reference
    """
    sent = path.sent.decode("latin-1")
    if model is None or path.kind in (b"responses", b"models", b"files"):
        url = f"{address.base_url}/openai/v1/{sent}"
        return url + (f"?{query}" if query else "")
    # The organisation's api-version is the one that counts.
    others = [p for p in query.split("&") if p and not p.startswith("api-version=")]
    query_string = "&".join([*others, f"api-version={address.api_version}"])
    deployment = quote(model, safe="")
    return f"{address.base_url}/openai/deployments/{deployment}/{sent}?{query_string}"

"""Stock SDKs pointed at a proxy: ready clients, and variables for other programs."""

import os
from collections.abc import Mapping
from importlib import import_module
from typing import Any

_SDKS = {"openai": "/v1", "anthropic": "", "groq": ""}  # what each does not append
_OUR_KEY = "x-lectr-key:"  # of an earlier proxy, where a cell runs again
_NO_PROVIDER_KEY = "no-provider-key"


def sdk_client(
    base_url: str,
    sdk: str,
    kind: str,
    headers: dict[str, str],
    options: Mapping[str, Any],
) -> Any:
    """A stock SDK's client whose calls pass through a proxy.

    Args:
        base_url: of the proxy, `http://host:port`.
        sdk: openai, anthropic or groq.
        kind: the class, such as `OpenAI` or `AsyncOpenAI`.
        headers: of the proxy; the options' `default_headers` go before them.
        options: what the client takes. Without `api_key` the provider's key is the
            SDK's own variable's, or a word in its place.
    """
    headers = headers | options.get("default_headers", {})
    own_key = os.environ.get(f"{sdk.upper()}_API_KEY") or _NO_PROVIDER_KEY
    settled = {"api_key": own_key, "base_url": base_url + _SDKS[sdk]}
    wished = settled | dict(options) | {"default_headers": headers}
    return getattr(import_module(sdk), kind)(**wished)


def environment(
    base_url: str, key: str, own: Mapping[str, str], *, live: bool = True
) -> dict[str, str]:
    """The variables that point programs with stock SDKs at a proxy.

    Args:
        base_url: of the proxy, `http://host:port`.
        key: an X-Lectr-Key of it.
        own: the variables that are set; headers among them are kept.
        live: providers are really asked. If not, keys are filled in where there is
            none, because SDKs refuse to start without.

    >>> environment("http://127.0.0.1:1", "lc_key_x", {})["OPENAI_BASE_URL"]
    'http://127.0.0.1:1/v1'
    """
    found = {"LECTR_KEY": key}
    for sdk, path in _SDKS.items():
        name = sdk.upper()
        before = own.get(f"{name}_CUSTOM_HEADERS", "").splitlines()
        others = [line for line in before if not line.lower().startswith(_OUR_KEY)]
        lines = [*others, f"X-Lectr-Key: {key}"]
        found[f"{name}_BASE_URL"] = base_url + path
        found[f"{name}_CUSTOM_HEADERS"] = "\n".join(lines)
        if not live:
            found[f"{name}_API_KEY"] = own.get(f"{name}_API_KEY") or _NO_PROVIDER_KEY
    for name in ("NO_PROXY", "no_proxy"):  # the way to loopback leads through none
        hosts = [*own.get(name, "").split(","), "127.0.0.1"]
        found[name] = ",".join(filter(None, dict.fromkeys(hosts)))
    return found

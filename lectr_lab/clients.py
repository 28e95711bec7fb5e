"""Stock SDKs pointed at a proxy: ready clients, and variables for other programs."""

import os
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from lectr_lab.core.masked_key import Key

_SDKS = {"openai": "/v1", "anthropic": "", "groq": ""}  # what each does not append
_OUR_KEY = "x-lectr-key:"  # of an earlier proxy, where a cell runs again
_NO_PROVIDER_KEY = "no-provider-key"


class Clients:
    """The ways to ask through one proxy: headers, variables, ready clients.

    Args:
        root: of the proxy, `http://host:port`.
        key: an X-Lectr-Key of it. It works wherever it is sent, and its repr is masked.
        live: as in `environment`.

    >>> Clients("http://127.0.0.1:1", "lc_key_x").headers(feature="faq")
    {'X-Lectr-Key': 'lc_key_…', 'X-Lectr-Feature': 'faq'}
    """

    def __init__(self, root: str, key: str, *, live: bool = True) -> None:
        self._root, self._live = root, live
        self.base_url = f"{root}/v1"
        self.key = key if isinstance(key, Key) else Key(key)

    def headers(
        self,
        feature: str | None = None,
        task: str | None = None,
        *,
        session: str | None = None,
        user: str | None = None,
    ) -> dict[str, str]:
        """The headers of a request, for any client.

        Args:
            feature: the feature of your product that asks, e.g. `onboarding-assistant`.
            task: classification, summarisation, extraction, generation or reasoning.
            session: the run that it belongs to, by any name.
            user: whom it is for. It stands in the log as it is given here.
        """
        named = {
            "X-Lectr-Feature": feature,
            "X-Lectr-Task": task,
            "X-Lectr-Session": session,
            "X-Lectr-User": user,
        }
        return {"X-Lectr-Key": Key(self.key)} | {n: v for n, v in named.items() if v}

    @property
    def environment(self) -> dict[str, str]:
        """Variables that point the OpenAI, Anthropic and Groq SDKs of a program here."""
        return environment(self._root, self.key[:], os.environ, live=self._live)

    def openai(
        self,
        feature: str | None = None,
        task: str | None = None,
        *,
        session: str | None = None,
        user: str | None = None,
        **options: Any,
    ) -> Any:
        """An `openai.OpenAI` client whose calls pass through this proxy.

        Args:
            feature: as in `headers`.
            task: as in `headers`.
            session: as in `headers`.
            user: as in `headers`.
            options: anything else `openai.OpenAI` takes. The provider's key is
                OPENAI_API_KEY's unless `api_key` is given.
        """
        named = self.headers(feature, task, session=session, user=user)
        return self._client("openai", "OpenAI", named, options)

    def async_openai(
        self,
        feature: str | None = None,
        task: str | None = None,
        *,
        session: str | None = None,
        user: str | None = None,
        **options: Any,
    ) -> Any:
        """An `openai.AsyncOpenAI`; use it with `async with`, which closes it."""
        named = self.headers(feature, task, session=session, user=user)
        return self._client("openai", "AsyncOpenAI", named, options)

    def anthropic(
        self,
        feature: str | None = None,
        task: str | None = None,
        *,
        session: str | None = None,
        user: str | None = None,
        **options: Any,
    ) -> Any:
        """An `anthropic.Anthropic` client whose calls pass through this proxy."""
        named = self.headers(feature, task, session=session, user=user)
        return self._client("anthropic", "Anthropic", named, options)

    def async_anthropic(
        self,
        feature: str | None = None,
        task: str | None = None,
        *,
        session: str | None = None,
        user: str | None = None,
        **options: Any,
    ) -> Any:
        """An `anthropic.AsyncAnthropic`; use it with `async with`."""
        named = self.headers(feature, task, session=session, user=user)
        return self._client("anthropic", "AsyncAnthropic", named, options)

    def groq(
        self,
        feature: str | None = None,
        task: str | None = None,
        *,
        session: str | None = None,
        user: str | None = None,
        **options: Any,
    ) -> Any:
        """A `groq.Groq` client whose calls pass through this proxy."""
        named = self.headers(feature, task, session=session, user=user)
        return self._client("groq", "Groq", named, options)

    def async_groq(
        self,
        feature: str | None = None,
        task: str | None = None,
        *,
        session: str | None = None,
        user: str | None = None,
        **options: Any,
    ) -> Any:
        """A `groq.AsyncGroq`; use it with `async with`."""
        named = self.headers(feature, task, session=session, user=user)
        return self._client("groq", "AsyncGroq", named, options)

    def _client(
        self,
        sdk: str,
        kind: str,
        named: dict[str, str],
        options: dict[str, Any],
    ) -> Any:
        """The user's own headers go before ours, and so does a key that is given."""
        headers = named | options.get("default_headers", {})
        key = os.environ.get(f"{sdk.upper()}_API_KEY") or _NO_PROVIDER_KEY
        settled = {"api_key": key, "base_url": self._root + _SDKS[sdk]}
        wished = settled | options | {"default_headers": headers}
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


def shell_lines(base_url: str) -> str:
    """What to type in a shell so that programs with stock SDKs pass through a proxy.

    Args:
        base_url: of the proxy, `http://host:port`.

    Returns:
        `export` lines that read the key from LECTR_KEY, and say whose they are.

    >>> print(shell_lines("http://127.0.0.1:1").splitlines()[1])
    export OPENAI_BASE_URL=http://127.0.0.1:1/v1
    """
    header = '"X-Lectr-Key: $LECTR_KEY"'
    return "\n".join(
        [
            "# OpenAI's SDKs, with /v1:",
            f"export OPENAI_BASE_URL={base_url}/v1",
            f"export OPENAI_CUSTOM_HEADERS={header}",
            "# Anthropic's SDKs and Claude Code, without /v1 (Vercel's SDK: with it):",
            f"export ANTHROPIC_BASE_URL={base_url}",
            f"export ANTHROPIC_CUSTOM_HEADERS={header}",
            "# Gemini CLI, without /v1beta (Google's SDKs take headers in code alone):",
            f"export GOOGLE_GEMINI_BASE_URL={base_url}",
            f"export GEMINI_CLI_CUSTOM_HEADERS={header}",
        ]
    )

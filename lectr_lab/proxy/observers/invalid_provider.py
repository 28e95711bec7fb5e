"""Says once that clients name a provider that nobody configured: their requests go to
OpenAI, whatever they meant. The name is the client's word, and stays in the log."""

from collections.abc import Callable
from functools import partial
from typing import Any

from lectr_lab.proxy.stderr import say

INVALID_PROVIDER = (
    "Requests name a provider in X-Lectr-Provider that is not configured: they go to "
    "openai. The log has the name in the column provider_header; a table "
    "[providers.<name>] in lectr.toml makes it one."
)


_warn = partial(say, code="invalid_provider", level="warning")


class InvalidProviders:
    """Is told of each provider's name that is none."""

    def __init__(self, say: Callable[[str], None] = _warn) -> None:
        self._say, self._seen = say, False

    def seen(self) -> None:
        """There is one: warn of the first."""
        if not self._seen:
            self._seen = True
            self._say(INVALID_PROVIDER)

    def about(self) -> dict[str, Any]:
        """For whoever looks at /health."""
        return {"warnings": [INVALID_PROVIDER] if self._seen else []}

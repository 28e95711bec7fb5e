"""Says once that clients name a provider that nobody configured: their requests go to
OpenAI, whatever they meant. The name is the client's word, and stays in the log."""

from collections.abc import Callable
from typing import Any

from lectr_lab.core.event import Event
from lectr_lab.core.exchange import Exchange
from lectr_lab.proxy.stderr import say

INVALID_PROVIDER = (
    "Requests name a provider in X-Lectr-Provider that is not configured: they go to "
    "openai. The log has the name in the column provider_header; a table "
    "[providers.<name>] in lectr.toml makes it one."
)


class InvalidProviders:
    """Looks for a provider's name that is none."""

    name, active = "invalid_provider", True
    at_end_only = True

    def __init__(self, say: Callable[[str], None] = say) -> None:
        self._say, self._seen = say, False

    def begin(self, exchange: Exchange, body: memoryview) -> None:
        """Whom it went to is known when it is over."""

    def ended(self, event: Event) -> None:
        """Warn of the first."""
        if event.provider_header is not None and not self._seen:
            self._seen = True
            self._say(INVALID_PROVIDER)

    def about(self) -> dict[str, Any]:
        """For whoever looks at /health."""
        return {"warnings": [INVALID_PROVIDER] if self._seen else []}

    def start(self) -> None:
        """There is nothing to begin."""

    def stop(self) -> None:
        """Nor to end."""

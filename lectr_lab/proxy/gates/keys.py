"""A key that was disabled opens nothing, though it is one of ours."""

from lectr_lab.core import error_responses
from lectr_lab.core.error_responses import Refusal
from lectr_lab.core.event import Event
from lectr_lab.core.exchange import Exchange


class EnabledKeys:
    """Refuses the keys that are not."""

    name, at_head = "keys", True
    counts_nothing = True

    def admit(self, exchange: Exchange) -> Refusal | None:
        """Why not, where it is disabled."""
        disabled = exchange.key.disabled_at is not None
        return error_responses.ORG_DISABLED if disabled else None

    def ended(self, event: Event) -> None:
        """Nothing was counted."""

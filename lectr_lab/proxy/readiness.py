"""Whether new requests should come to this process, for whoever shares them out."""

from collections.abc import Callable, Iterable

from lectr_lab.core.error_responses import Refusal, not_ready
from lectr_lab.proxy.systemd import notify

NOT_STARTED = "it has not started, or has ended"
DRAINING = "it was told to stop, and finishes what runs"


class Readiness:
    """What /readyz is answered from. Not ready is not broken: who asks is served.

    Args:
        why_not: reasons beside starting and ending, without a name or a path in them.
    """

    def __init__(self, why_not: Callable[[], Iterable[str]] = tuple) -> None:
        self._why_not = why_not
        self.started = False
        self.draining = False

    def drain(self) -> None:
        """The order to stop is here."""
        if not self.draining:
            self.draining = True
            notify("STOPPING=1")

    def reasons(self) -> list[str]:
        """Why no request should come here; none where all is well.

        >>> Readiness().reasons()
        ['it has not started, or has ended']
        """
        if not self.started:
            return [NOT_STARTED]
        return [*[DRAINING] * self.draining, *self._why_not()]

    def refusal(self) -> Refusal | None:
        """What /readyz says where it is not ready; None where it is."""
        reasons = self.reasons()
        return not_ready(reasons) if reasons else None

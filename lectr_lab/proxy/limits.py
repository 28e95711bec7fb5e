"""What an organisation may ask of this process: requests a minute, streams, body size.

The `limits` library (5.8) counts as well, but takes 6 to 13 µs a request and 120 ms to
import, against 0.5 µs here, and its fixed windows let twice the limit through where two
of them meet.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from lectr_lab.config.settings import Settings
from lectr_lab.core import error_responses
from lectr_lab.core.error_responses import Refusal
from lectr_lab.core.llm_api.request import RequestFacts

_WINDOW_S = 60.0
_NO_LIMIT: AbstractContextManager[None] = nullcontext()


class Limits:
    """Counts each organisation's requests and streams. Not configured: not counted."""

    def __init__(self, settings: Settings, now_s: Callable[[], float]) -> None:
        self._max_body_bytes = settings.max_body_bytes
        self._now_s = now_s
        self._orgs = settings.orgs
        self._admitted_s: dict[str, deque[float]] = {
            org: deque(maxlen=own.requests_per_minute)
            for org, own in settings.orgs.items()
            if own.requests_per_minute is not None
        }
        self._streams = dict.fromkeys(settings.orgs, 0)

    def admit(self, org: str) -> Refusal | None:
        """Count a request, or say why not.

        Exact: within any 60 seconds no more than the limit are admitted. A refused
        request does not count, so a client that keeps asking is let in in its turn.
        """
        admitted_s = self._admitted_s.get(org)
        if admitted_s is None:
            return None
        now_s, limit = self._now_s(), admitted_s.maxlen or 0
        if len(admitted_s) < limit or now_s - admitted_s[0] >= _WINDOW_S:
            admitted_s.append(now_s)  # the oldest falls out
            return None
        wait_s = admitted_s[0] + _WINDOW_S - now_s
        return error_responses.rate_limited(limit, max(1, math.ceil(wait_s)))

    def max_body_bytes(self, org: str) -> int:
        """The largest body this organisation may send."""
        own = self._orgs.get(org)
        return (own and own.max_body_bytes) or self._max_body_bytes

    def stream(
        self, org: str, facts: RequestFacts | None
    ) -> AbstractContextManager[Refusal | None]:
        """A place for a stream while it runs; yields why there is none.

        What is no stream, and an organisation without a limit, needs no place.
        """
        own = self._orgs.get(org)
        if own is None or own.concurrent_streams is None:
            return _NO_LIMIT
        if facts is None or not facts.stream:
            return _NO_LIMIT
        return self._place(org, own.concurrent_streams)

    @contextmanager
    def _place(self, org: str, limit: int) -> Iterator[Refusal | None]:
        if self._streams[org] >= limit:
            yield error_responses.too_many_streams(limit)
            return
        self._streams[org] += 1
        try:
            yield None
        finally:
            self._streams[org] -= 1

"""The tape in the place of the proxy's engine: no port, no second server, no waiting.

For tests: with a `PlayedClock` the log has the latencies of the recording, exactly,
however fast or slow the machine is.
"""

from collections.abc import AsyncIterator, Callable

from lectr_lab.core.engine import Engine, Reply
from lectr_lab.core.errors import UpstreamBroken
from lectr_lab.core.headers import RawHeaders
from lectr_lab.tape.asgi import MISS_STATUS, miss
from lectr_lab.tape.cassette import Interaction, provider_of
from lectr_lab.tape.clock import PlayedClock
from lectr_lab.tape.match import Tape

TAPE_HOST = "http://tape.invalid"  # no name that ever resolves


class TapeEngine:
    """Answers from a tape; what it does not have is a miss, or is asked of `live`.

    Args:
        tape: the recordings.
        clock: moved to the time of each piece; None leaves time alone.
        live: asked where no recording answers; None: an error that says what is near.
        on_played: told each interaction before it is played.
    """

    def __init__(
        self,
        tape: Tape,
        clock: PlayedClock | None = None,
        live: Engine | None = None,
        on_played: Callable[[Interaction], None] = lambda _: None,
    ) -> None:
        self._tape, self._clock, self._live = tape, clock, live
        self._on_played = on_played

    async def send(
        self, method: str, url: str, headers: RawHeaders, body: bytes
    ) -> Reply:
        """Play the answer that was recorded. URLs are `played_by`'s, or a provider's."""
        request = self._tape.request(method, url, headers, body, _provider(url))
        recorded = self._tape.play(request)
        if recorded is not None:
            self._on_played(recorded)
            return _Played(recorded, self._clock)
        if self._live is not None:
            return await self._live.send(method, url, headers, body)
        text, its_headers = miss(self._tape.miss(request))
        return _Whole(MISS_STATUS, tuple(its_headers), text)

    async def aclose(self) -> None:
        """Nothing is open but what was given."""


class _Played:
    def __init__(self, recorded: Interaction, clock: PlayedClock | None) -> None:
        self.status, self.headers = recorded.status, recorded.response_headers
        self._recorded, self._clock = recorded, clock
        self._at(recorded.head_ms)

    def _at(self, at_ms: float) -> None:
        if self._clock is not None:
            self._clock.play_until(at_ms)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._recorded.chunks:
            self._at(chunk.at_ms)
            yield chunk.data
        if self._recorded.ended != "complete":
            raise UpstreamBroken("the recording stops inside its answer")

    async def aclose(self) -> None:
        """A recording holds no connection."""


class _Whole:
    def __init__(self, status: int, headers: RawHeaders, body: bytes) -> None:
        self.status, self.headers, self._body = status, headers, body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body

    async def aclose(self) -> None:
        """Nothing is open."""


def _provider(url: str) -> str | None:
    """Whose URL it is; on a tape, the path's first part says so."""
    behind = url.removeprefix(TAPE_HOST + "/")
    return provider_of(url) if behind == url else behind.partition("/")[0]

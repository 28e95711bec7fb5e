"""Replay: a tape in the place of the proxy's engine. No port, no network.

It plays at recorded speed, faster, or at once. With a `PlayedClock` the log has the
latencies of the recording, exactly, however fast it plays or slow the machine is.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias

import msgspec

from lectr_lab.config.settings import AzureSettings, ProviderSettings, Settings
from lectr_lab.core.engine import Engine, Reply
from lectr_lab.core.errors import CassetteError, UpstreamBroken
from lectr_lab.core.headers import RawHeaders
from lectr_lab.core.routing.providers import default_addresses
from lectr_lab.tape.cassette import Interaction, provider_of
from lectr_lab.tape.clock import PlayedClock
from lectr_lab.tape.match import Tape

_HOST = "http://tape.invalid/"  # no name that ever resolves
_MISS_STATUS = 501

_WaitUntil: TypeAlias = Callable[[float], Awaitable[None]]


def played_by(settings: Settings) -> Settings:
    """The settings with every provider on a tape, where none wants a key.

    >>> played_by(Settings()).address_for("me", "groq").base_url
    'http://tape.invalid/groq/v1'
    """
    providers = {
        name: ProviderSettings(base_url=f"{_HOST}{name}/v1", auth="none")
        for name in default_addresses()
        if name != "azure"
    }
    azure = AzureSettings(endpoint=f"{_HOST}azure", auth="none")
    orgs = {  # limits stay; an endpoint of one's own would be asked instead of the tape
        name: msgspec.structs.replace(org, azure=None)
        for name, org in settings.orgs.items()
    }
    return msgspec.structs.replace(
        settings, upstream=None, providers=providers, azure=azure, orgs=orgs
    )


class TapeEngine:
    """Answers from a tape; what it does not have is a miss, or is asked of `live`.

    Args:
        tape: the recordings.
        speed: 1 plays as fast as it was recorded, N does N times faster, 0 at once.
        clock: moved to the recorded time of each piece; None leaves time alone.
        live: asked where no recording answers; None: an error that says what is near.
        on_played: told each interaction before it is played.

    Raises:
        CassetteError: the speed is below 0.
    """

    def __init__(
        self,
        tape: Tape,
        speed: float = 1.0,
        clock: PlayedClock | None = None,
        live: Engine | None = None,
        on_played: Callable[[Interaction], None] = lambda _: None,
    ) -> None:
        if not speed >= 0:
            raise CassetteError(
                f"A replay's speed is 0 (at once) or more, not {speed}."
            )
        self._s_per_ms = 1 / speed / 1000 if speed else 0.0
        self._tape, self._clock, self._live = tape, clock, live
        self._on_played = on_played

    async def send(
        self, method: str, url: str, headers: RawHeaders, body: bytes
    ) -> Reply:
        """Play the answer that was recorded. URLs are `played_by`'s, or a provider's."""
        wait_until = self._from_now_on()
        request = self._tape.request(method, url, headers, body, _provider(url))
        recorded = self._tape.play(request)
        if recorded is not None:
            self._on_played(recorded)
            await wait_until(recorded.head_ms)
            return _Played(recorded, wait_until)
        if self._live is not None:
            return await self._live.send(method, url, headers, body)
        return _Miss(self._tape.miss(request))

    def _from_now_on(self) -> _WaitUntil:
        """What waits for a moment of a recording that begins now, however late it is
        asked: nothing adds up. A client that leaves cancels the wait."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()

        async def wait_until(at_ms: float) -> None:
            # Also where nothing is left to wait: others have their turn.
            await asyncio.sleep(began_s + at_ms * self._s_per_ms - loop.time())
            if self._clock is not None:
                self._clock.play_until(at_ms)

        return wait_until

    async def aclose(self) -> None:
        """Nothing is open but what was given."""


class _Played:
    """A recorded answer, in its own time and as far as it went."""

    def __init__(self, recorded: Interaction, wait_until: _WaitUntil) -> None:
        self.status, self.headers = recorded.status, recorded.response_headers
        self._recorded, self._wait_until = recorded, wait_until

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._recorded.chunks:
            await self._wait_until(chunk.at_ms)
            yield chunk.data
        if self._recorded.ended != "complete":
            raise UpstreamBroken("the recording stops inside its answer")

    async def aclose(self) -> None:
        """A recording holds no connection."""


class _Miss:
    """The answer where there is no recording, in OpenAI's shape."""

    status = _MISS_STATUS

    def __init__(self, message: str) -> None:
        error = {"message": message, "type": "tape_miss", "code": "no_recording"}
        text = json.dumps({"error": error}, ensure_ascii=False)
        self._body = text.encode("utf-8", "replace")
        self.headers: RawHeaders = (
            (b"content-type", b"application/json"),
            (b"content-length", str(len(self._body)).encode()),
            (b"x-should-retry", b"false"),  # SDKs would ask again; the tape has no more
        )

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body

    async def aclose(self) -> None:
        """Nothing is open."""


def _provider(url: str) -> str | None:
    """Whose URL it is; on a tape, the path's first part says so."""
    path = url.removeprefix(_HOST)
    return provider_of(url) if path == url else path.partition("/")[0]

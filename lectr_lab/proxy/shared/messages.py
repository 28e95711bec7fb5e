"""What workers and their parent say to each other. Nothing of a prompt but digests."""

from typing import Any, TypeAlias

import msgspec

from lectr_lab.core.event_values import PrefixBreak
from lectr_lab.core.prefix.compare import Change, Seen
from lectr_lab.core.prefix.prompt import Prompt


class Look(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Compare a prompt with those before it, and remember it (`PrefixMemory.look`)."""

    number: int
    session: tuple[str | None, ...]
    is_session: bool
    digests: bytes
    ends: bytes
    answers: bytes
    tools: int
    heads: int
    parameters: tuple[bytes, ...]
    sketch: bytes
    provider: str
    model: str | None
    agent: str | None
    started_s: float
    answered_s: float

    @property
    def seen(self) -> Seen:
        """The prompt, as it is remembered."""
        prompt = Prompt(
            digests=self.digests,
            ends=self.ends,
            answers=self.answers,
            tools=self.tools,
            heads=self.heads,
            parameters=self.parameters,
            sketch=self.sketch,
        )
        model = self.provider, self.model
        return Seen(prompt, model, self.agent, self.started_s, self.answered_s)


def look(
    number: int, session: tuple[str | None, ...], seen: Seen, *, is_session: bool
) -> Look:
    """The question about a prompt."""
    prompt = seen.prompt
    return Look(
        number,
        session,
        is_session,
        prompt.digests,
        prompt.ends,
        prompt.answers,
        prompt.tools,
        prompt.heads,
        prompt.parameters,
        prompt.sketch,
        *seen.model,
        seen.agent,
        seen.started_s,
        seen.answered_s,
    )


class Looked(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """How it compares; the fields of `Change`."""

    number: int
    prefix: int
    kept: int | None
    cause: PrefixBreak | None
    last_s: float | None

    @property
    def change(self) -> Change:
        """The same."""
        return Change(self.prefix, self.kept, self.cause, self.last_s)


class TellHealth(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Say how you are."""

    number: int


class HealthTold(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """How a worker is."""

    number: int
    health: dict[str, Any]


class HealthWanted(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Say how all are."""

    number: int


class OneHealth(msgspec.Struct, frozen=True):
    """How one of them is; None: it has not said so in time."""

    pid: int
    started_at: str  # ISO 8601, UTC
    retiring: bool  # it finishes what runs on it, and takes no more
    health: dict[str, Any] | None = None


class AllHealth(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """How all are."""

    number: int
    workers: list[OneHealth]
    restarts: int  # of workers that ended by themselves
    remembered_bytes: int = 0  # of prompts, by their parent


class Take(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Take connections at this place too, as its own worker is gone, or no longer."""

    slot: int
    also: bool


ToParent: TypeAlias = Look | HealthTold | HealthWanted
ToWorker: TypeAlias = Looked | TellHealth | AllHealth | Take

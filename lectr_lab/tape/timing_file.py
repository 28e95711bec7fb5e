"""The side file: what a cassette in vcrpy's form has no room for.

Same folder and stem as the cassette, `.side.json`. One entry per interaction, in the
cassette's order: whose request it was, and when each piece of the answer came.
"""

from pathlib import Path
from typing import Literal

import msgspec

from lectr_lab.core.errors import CassetteError

Ended = Literal["complete", "broken", "client_left"]


class Timing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One interaction. Times are milliseconds after the request was sent upstream.

    `chunks` holds (length in bytes, time) of the body as the cassette stores it.
    `ended` says what happened after the last chunk: the answer was complete, the
    provider broke off, or the client left. `started_ms` counts from the first request.
    """

    started_ms: float
    head_ms: float
    chunks: tuple[tuple[int, float], ...] = ()
    ended: Ended = "complete"
    decompressed: bool = False  # a secret stood in a compressed body: stored plain
    event_id: str | None = None  # hexadecimal
    org: str | None = None
    feature: str | None = None
    task: str | None = None
    provider: str | None = None


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file."""

    version: Literal[1] = 1
    interactions: tuple[Timing, ...]


def side_path(cassette: Path) -> Path:
    """Where a cassette's side file is.

    >>> side_path(Path("chat.yaml")).name
    'chat.side.json'
    """
    return cassette.with_suffix(".side.json")


def read_side(cassette: Path) -> Side | None:
    """The cassette's side file; None where it has none.

    Raises:
        CassetteError: it is there and cannot be used; names the file and the reason.
    """
    path = side_path(cassette)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Side)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CassetteError(f"{path} cannot be read: {error.strerror}.") from None
    except (msgspec.MsgspecError, RecursionError) as error:
        raise CassetteError(
            f"{path} is not a side file of a cassette: {error}.\n"
            "Delete it to replay the cassette without its timing."
        ) from None


def encode_side(side: Side) -> bytes:
    """The file's text: JSON, one line per interaction, so that it can be read."""
    rows = b",\n".join(map(msgspec.json.encode, side.interactions))
    return b'{"version":1,"interactions":[\n' + rows + b"\n]}\n"

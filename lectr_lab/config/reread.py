"""Settings read again while the proxy runs: what they can change, and what they cannot."""

from typing import Any

import msgspec

from lectr_lab.config.settings import Settings

_TAPE = "tape:"
# What a listening socket, an open log or another process was made from.
FIXED = (
    "lab",
    "host",
    "port",
    "tls_cert",
    "tls_key",
    "allow_plain_http",
    "limits",
    "queue_events",
    "keep_request_ids",
    "drain_s",
    "record",
)


def as_reread(new: Settings, old: Settings) -> tuple[Settings, list[str]]:
    """The new settings as far as a running proxy can follow them.

    Args:
        new: as read now.
        old: those in force.

    Returns:
        What is to be in force, and the fields that wait for the next start.

    >>> settings, waiting = as_reread(Settings(port=1, max_body_bytes=9), Settings())
    >>> settings.port, settings.max_body_bytes, waiting
    (8484, 9, ['port'])
    """
    fixed = list(FIXED)
    if any((one.upstream or "").startswith(_TAPE) for one in (new, old)):
        fixed.append("upstream")
    waiting = [name for name in fixed if getattr(new, name) != getattr(old, name)]
    stay: dict[str, Any] = {name: getattr(old, name) for name in waiting}
    return msgspec.structs.replace(new, **stay), waiting


def in_words(waiting: list[str]) -> str:
    """What a reload did, for the operator.

    >>> in_words(["host", "port"])
    'The settings are read again. host, port: a new value takes a restart.'
    """
    later = f" {', '.join(waiting)}: a new value takes a restart." if waiting else ""
    return f"The settings are read again.{later}"

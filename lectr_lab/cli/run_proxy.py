"""The proxy that a `lectr-lab run` goes through: the one that serves, or its own."""

import contextlib
import json
import os
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lectr_lab.core.keys import KeyEntry
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.key_file import KeyFile
from lectr_lab.log.serving import Serving, serving
from lectr_lab.programs.tally import Passed

if TYPE_CHECKING:  # who goes through another's proxy need not load ours
    from lectr_lab.config.settings import Settings

_SEEN_WITHIN_S = 2.0  # by when `scan` shows an event


@dataclass
class Passage:
    """The way through, and from its end on what passed."""

    base_url: str
    key: str
    passed: Passed = field(default_factory=Passed)
    strangers: int = 0  # requests that came without a key of ours


@contextlib.contextmanager
def passage(settings: "Settings", feature: str | None) -> Iterator[Passage]:
    """A proxy for one program.

    Where a proxy of this machine serves the settings' lab, and LECTR_KEY is one of its
    keys, it is that one: its rules and limits hold. Else one is started, with a key that
    ends with it.

    Args:
        settings: whose lab, and what an own proxy asks.
        feature: of the program's calls.

    Raises:
        ProxyError: the proxy could not start.
    """
    key = os.environ.get("LECTR_KEY", "")
    lab = LabFolder(Path(settings.lab))
    entry = KeyFile(lab).table(time.monotonic()).find(key)
    if entry and entry.disabled_at:
        entry = None
    found = _that_serves(lab) if entry else None
    if entry and found:
        with _through(found, lab, entry, key, feature) as way:
            yield way
    else:
        with _own(settings, entry.org if entry else None, feature) as way:
            yield way


@contextlib.contextmanager
def _own(
    settings: "Settings", org: str | None, feature: str | None
) -> Iterator[Passage]:
    """A proxy on a free port, of this machine alone."""
    import msgspec

    from lectr_lab.core.routing.rules_file import RULES_FILE
    from lectr_lab.launch import Child, Order, Session

    local = msgspec.structs.replace(
        settings,
        lab=str(Path(settings.lab).resolve()),
        rules=settings.rules or str(Path(RULES_FILE).resolve()),
        host="127.0.0.1",
        port=0,
        tls_cert=None,
        tls_key=None,
    )
    session = Session(feature=feature, **({"org": org} if org else {}))
    child = Child(Order(settings=local, session=session, tally=True))
    way = Passage(child.base_url, session.key)
    try:
        yield way
        way.strangers = _strangers(child.base_url)
    finally:
        child.stop()
        way.passed = child.passed


@contextlib.contextmanager
def _through(
    found: Serving, lab: LabFolder, entry: KeyEntry, key: str, feature: str | None
) -> Iterator[Passage]:
    """The one that serves; what passed is told by the log."""
    began, before = datetime.now(UTC), _strangers(found.base_url)
    way = Passage(found.base_url, key)
    yield way
    way.strangers = max(0, _strangers(found.base_url) - before)
    way.passed = _logged(lab, entry.org, feature or entry.feature, began)


def _that_serves(lab: LabFolder) -> Serving | None:
    """One that answers as the lab's own file says it does: another process may have its
    port by now, and would be sent a key and prompts."""
    for one in serving(lab):
        if (
            one.base_url.startswith("http://")
            and _health(one.base_url).get("instance") == one.instance
        ):
            return one
    return None


def _health(base_url: str) -> dict[str, Any]:
    """What /health says; nothing where nobody answers."""
    connection = HTTPConnection(urlsplit(base_url).netloc, timeout=5)
    try:
        connection.request("GET", "/health")
        said = json.load(connection.getresponse())
        return said if isinstance(said, dict) else {}
    except (OSError, HTTPException, ValueError):
        return {}
    finally:
        connection.close()


def _strangers(base_url: str) -> int:
    """How many requests the proxy refused for want of a key; 0 where it is gone."""
    count = _health(base_url).get("unknown_callers", 0)
    return count if isinstance(count, int) else 0


def _logged(lab: LabFolder, org: str, feature: str | None, since: datetime) -> Passed:
    """What the log has of a feature since then. Two runs of one feature at one time are
    counted together."""
    import polars as pl

    from lectr_lab.log.scan import scan

    time.sleep(_SEEN_WITHIN_S)
    of_feature = pl.lit(True) if feature is None else pl.col("feature").eq(feature)
    days = {since.date(), datetime.now(UTC).date()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a report says what cannot be read
        rows = pl.concat(scan(lab.root, day=day) for day in sorted(days))
        rows = rows.filter(pl.col("org").eq(org), pl.col("started_at") >= since)
        found = rows.filter(of_feature).select("event_id", "started_at", "outcome")
        events = found.collect().rows()
    return Passed(
        [event_id for event_id, _, _ in events],
        {started_at.date() for _, started_at, _ in events},
        sum(outcome != "ok" for _, _, outcome in events),
    )

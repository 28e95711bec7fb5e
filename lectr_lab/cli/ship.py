"""`lectr-lab ship`: sealed rows of this lab to an object store, beside the proxy."""

import os
import re
import signal
import sys
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from lectr_lab.cli.options import folder
from lectr_lab.core.errors import ConfigError
from lectr_lab.core.printable import printable

if TYPE_CHECKING:
    from lectr_lab.config.settings import Settings
    from lectr_lab.config.ship_settings import ShipSettings
    from lectr_lab.log.folder import LabFolder
    from lectr_lab.shipping.places import Place

MB = 1_000_000
_SECONDS = {"": 1, "s": 1, "min": 60, "m": 60, "h": 3_600}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|)")
Data = Annotated[
    Path | None, Parameter(name=["--lab", "--folder", "--data"], converter=folder)
]


def ship(
    to: str | None = None,
    *,
    data: Data = None,
    once: bool = False,
    every: str | None = None,
    compact: bool = False,
    sweep: bool = False,
    instance_credentials: bool = False,
    config: Path | None = None,
) -> None:
    """Put sealed rows into an object store, each once, every 15 minutes or 1,000 rows.

    Any number of proxies may ship to one prefix: `lectr.scan("s3://bucket/prefix")` reads
    what all of them put there. Safe to kill and to run twice. Credentials come from the
    environment alone. With [ship] in lectr.toml `lectr-lab serve` does this beside the
    proxy; nothing in the proxy waits for the store. Ctrl-C stops it.

    Example: lectr-lab ship s3://bucket/prefix --once

    Args:
        to: s3://bucket/prefix, gs://bucket/prefix, az://container/prefix or
            file:///folder (default: the one lectr.toml names).
        data: the lab folder (default: the one lectr.toml names, else ./lab).
        once: put what is sealed, and end.
        every: how often, such as 15min, 30s or 1h (default: 15min).
        compact: ship nothing; merge what was put for days that have ended, of every lab,
            count it for views, and end. Any machine may do so, and several at once.
        sweep: ship nothing; delete objects that were merged more than an hour ago, and
            counts that nothing needs any more, and end.
        instance_credentials: where the environment has none, ask this machine's metadata
            address for credentials.
        config: the settings file (default: lectr.toml, where it is there).

    Raises:
        LabError: there is no such lab or store, or what is asked for cannot be done.
    """
    from lectr_lab.shipping.places import place
    from lectr_lab.shipping.stores import check

    settings = _settings(data, config)
    asked = _asked(settings, to, every, instance_credentials)
    where = place(asked.to, os.environ, instance_credentials=asked.instance_credentials)
    check(where)
    if compact or sweep:
        _upkeep(where, settings, compact=compact, sweep=sweep)
    elif once:
        _ship_once(_begun(data or Path(settings.lab), where), where)
    else:
        _keep_shipping(
            _begun(data or Path(settings.lab), where), where, asked, settings
        )


def _settings(lab: Path | None, config: Path | None) -> "Settings":
    from lectr_lab.config.settings import settings_beside, settings_here

    if lab is not None and config is None:
        return settings_beside(lab, os.environ)
    return settings_here(os.environ, config)


def _asked(
    settings: "Settings", to: str | None, every: str | None, instance: bool
) -> "ShipSettings":
    """What lectr.toml says, and in its place what was typed."""
    import msgspec

    from lectr_lab.config.ship_settings import ShipSettings

    asked = settings.ship
    if to is None and asked is None:
        raise ConfigError(
            "Where to? `lectr-lab ship s3://bucket/prefix`, or write it into lectr.toml:"
            '\n\n  [ship]\n  to = "s3://bucket/prefix"'
        )
    asked = asked or ShipSettings(to=to or "")
    asked = msgspec.structs.replace(
        asked,
        to=to or asked.to,
        every_s=asked.every_s if every is None else seconds(every),
        instance_credentials=asked.instance_credentials or instance,
    )
    if fault := asked.fault():
        raise ConfigError(f"{fault[0]}: {fault[1]}.")
    return asked


def seconds(text: str) -> float:
    """A duration as people write it.

    Raises:
        ConfigError: it is none.

    >>> seconds("15min"), seconds("90"), seconds("1.5h")
    (900.0, 90.0, 5400.0)
    """
    named = _DURATION.fullmatch(text.strip())
    if named is None:
        raise ConfigError(f"--every: write 15min, 30s or 1h, not {text!r}.")
    return float(named[1]) * _SECONDS[named[2]]


def _begun(folder: Path, where: "Place") -> "LabFolder":
    from lectr_lab.log.folder import LabFolder
    from lectr_lab.shipping.ship import begin

    lab = LabFolder.create(LabFolder.used(folder).root)
    begin(lab, where.url)
    return lab


def _ship_once(lab: "LabFolder", where: "Place") -> None:
    from lectr_lab.shipping import ship as shipping
    from lectr_lab.shipping.stores import opened

    done = shipping.ship(lab, opened(where))
    if done.objects:
        print(
            f"Shipped {_count(done.objects, 'object')}, {done.put_bytes / MB:.1f} MB, "
            f"to {where.url}: {done.rows:,} rows that were new."
        )
    elif not done.problems:
        print(f"Nothing to ship: {where.url} has every sealed row of {lab.root}.")
    for problem in done.problems:
        print(f"! {printable(problem)}", file=sys.stderr)


def _keep_shipping(
    lab: "LabFolder", where: "Place", asked: "ShipSettings", settings: "Settings"
) -> None:
    from lectr_lab.cli.ship_counts import count_some
    from lectr_lab.shipping import ship as shipping
    from lectr_lab.shipping.stores import opened

    stop, store = threading.Event(), opened(where)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    keep = settings.keep_request_ids
    try:
        print(
            f"Shipping {lab.root} to {where.url}, every {asked.every_s / 60:g} minutes "
            f"or {asked.rows:,} rows. Ctrl-C stops it.",
            flush=True,
        )
        shipping.keep_shipping(
            lab,
            store,
            asked,
            stop.wait,
            _complain,
            keep_request_ids=keep,
            count=partial(count_some, store),
        )
    except KeyboardInterrupt:
        print("\nNo longer shipped.")


def _complain(text: str) -> None:
    print(f"lectr-lab: {printable(text)}", file=sys.stderr, flush=True)


def _upkeep(
    where: "Place", settings: "Settings", *, compact: bool, sweep: bool
) -> None:
    from datetime import UTC, datetime

    from lectr_lab.analysis.cells.prefix_upkeep import count_prefix, sweep_sets
    from lectr_lab.shipping import ship as shipping
    from lectr_lab.shipping.stores import opened

    store = opened(where)
    if compact:
        merged = shipping.compact(store, keep_request_ids=settings.keep_request_ids)
        print(f"Merged {_count(merged, 'object')} of days that have ended.")
        made = count_prefix(store)
        print(f"Counted {_count(made, 'object')}, for views to read instead of rows.")
    if sweep:
        now = datetime.now(UTC)
        gone = shipping.sweep_all(store, now) + sweep_sets(store, now)
        print(f"Deleted {_count(gone, 'object')} that nothing needs any more.")


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"

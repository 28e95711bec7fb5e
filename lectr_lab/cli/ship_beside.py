"""A shipper in a process of its own, beside a proxy: `shipped` starts it."""

import os
import sys
import threading
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from lectr_lab.beside import Beside, beside, obey
from lectr_lab.cli.ship_counts import count_some
from lectr_lab.config.settings import Settings
from lectr_lab.core.errors import MissingExtra
from lectr_lab.log.folder import LabFolder
from lectr_lab.proxy.stderr import say


def shipped(settings: Settings) -> AbstractContextManager[Beside]:
    """While this holds, a process ships the lab, where `[ship]` asks for it."""
    module = "lectr_lab.cli.ship_beside"
    return beside(module, settings, lambda one: one.ship is not None)


def ship_lab(settings: Settings, stop: threading.Event) -> None:
    """Ship the lab of the settings until it is to stop.

    Raises:
        LabError: what `[ship]` asks for cannot be done.
    """
    asked = settings.ship
    if asked is None:
        return
    try:
        from lectr_lab.shipping.places import place
        from lectr_lab.shipping.ship import begin, keep_shipping
        from lectr_lab.shipping.stores import opened
    except ModuleNotFoundError as error:
        raise MissingExtra(error.name) from error
    lab = LabFolder.create(Path(settings.lab))
    where = place(asked.to, os.environ, instance_credentials=asked.instance_credentials)
    begin(lab, where.url)
    store = opened(where)
    keep_shipping(
        lab,
        store,
        asked,
        stop.wait,
        _complain,
        keep_request_ids=settings.keep_request_ids,
        count=partial(count_some, store),
    )


def _complain(text: str) -> None:
    say(text, code="ship", level="warning")


if __name__ == "__main__":
    sys.exit(obey("ship", ship_lab))

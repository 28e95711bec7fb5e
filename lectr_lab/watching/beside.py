"""A watcher in a process of its own, beside a proxy."""

import os
import threading
from contextlib import AbstractContextManager
from pathlib import Path

from lectr_lab.beside import Beside, beside
from lectr_lab.config.settings import Settings
from lectr_lab.core.errors import MissingExtra
from lectr_lab.log.folder import LabFolder


def watched(settings: Settings) -> AbstractContextManager[Beside]:
    """While this holds, a process looks at the lab, where `[watch]` asks for it."""
    return beside("lectr_lab.watching", settings, lambda one: one.watch is not None)


def watch_lab(settings: Settings, stop: threading.Event) -> None:
    """Watch the lab of the settings until it is to stop.

    Raises:
        LabError: what `[watch]` asks for cannot be done.
    """
    lab = LabFolder.create(Path(settings.lab))
    try:
        from lectr_lab.watching.loop import watch
    except ModuleNotFoundError as error:
        raise MissingExtra(error.name) from error
    from lectr_lab.watching.sinks import sinks

    watch(lab, settings, sinks(settings, os.environ, stop.wait), stop.wait)

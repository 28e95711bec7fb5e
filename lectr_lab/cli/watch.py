"""`lectr-lab watch`: a terminal that is told of what is odd as it happens."""

import os
import signal
import sys
import threading
from pathlib import Path

from lectr_lab.cli.options import Lab
from lectr_lab.core.errors import ConfigError


def watch(
    lab: Lab = None,
    *,
    every: float | None = None,
    by: str | None = None,
    budget: float | None = None,
    once: bool = False,
    config: Path | None = None,
) -> None:
    """Look every minute for what is odd and for budgets, and tell of each once.

    It tells this terminal, and whom [watch] in lectr.toml names: a file, a command, a
    webhook. What was told is kept in the lab, so that a restart repeats nothing. With
    [watch], `lectr-lab serve` does this beside the proxy. Ctrl-C stops it.

    Example: lectr-lab watch lab

    Args:
        lab: the lab folder (default: the one lectr.toml names, else ./lab).
        every: seconds from one look to the next (default: 60).
        by: what is held against its past, such as feature, provider or client.
        budget: false alarms a feature-week that you accept (default: 0.3).
        once: look once, tell, and end.
        config: the settings file (default: lectr.toml, where it is there).

    Raises:
        LabError: there is no such lab, or the settings cannot be followed.
    """
    import msgspec

    from lectr_lab.config.settings import settings_beside, settings_here
    from lectr_lab.config.watch_settings import WatchSettings
    from lectr_lab.log.folder import LabFolder
    from lectr_lab.watching import loop
    from lectr_lab.watching.sinks import sinks

    if lab is not None and config is None:
        settings = settings_beside(lab, os.environ)
    else:
        settings = settings_here(os.environ, config)
    asked = settings.watch or WatchSettings()
    told = {"every_s": every, "by": by, "budget": budget}
    given = {name: value for name, value in told.items() if value is not None}
    asked = msgspec.structs.replace(asked, **given, terminal=True)
    if fault := asked.fault():
        raise ConfigError(f"{fault[0]}: {fault[1]}.")
    settings = msgspec.structs.replace(settings, watch=asked)
    folder = LabFolder.existing(lab or Path(settings.lab))
    stop = threading.Event()
    found = sinks(settings, os.environ, stop.wait)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    try:
        if once:
            for fault_text in loop.look(folder, settings, found):
                print(f"lectr-lab: {fault_text}", file=sys.stderr)
            return
        print(loop.how_it_stands(folder, settings), flush=True)
        loop.watch(folder, settings, found, stop.wait)
    except KeyboardInterrupt:
        print("\nNo longer watched.")

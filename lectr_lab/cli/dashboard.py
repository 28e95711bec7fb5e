"""`lectr-lab dashboard`: the live page, without a notebook."""

import os
import sys
import threading
import webbrowser
from datetime import UTC, datetime
from pathlib import Path

from lectr_lab.cli.options import LabOrUrl, is_far
from lectr_lab.cli.say import say
from lectr_lab.core.errors import LabError

_HOST = "127.0.0.1"
_DEMO_TITLE = "Four weeks of made-up traffic"


def dashboard(
    lab: LabOrUrl = None,
    *,
    port: int = 0,
    by: str = "feature",
    since: str | None = None,
    tz: str = "UTC",
    demo: bool = False,
    no_browser: bool = False,
) -> None:
    """Show a log's charts in a browser, as it is being written, until Ctrl-C.

    The page follows the log, a second or two behind, and lists the requests behind
    whatever is selected. It is served on this machine alone. The address that is printed
    opens once, in one browser, which may then open it in as many tabs as it likes. A log
    that is not there yet is waited for.

    Example: lectr-lab dashboard

    Example: lectr-lab dashboard lab --by client --since 7d

    Example: lectr-lab dashboard --demo

    Args:
        lab: the lab folder (default: the one lectr.toml names, else ./lab); or a prefix
            that labs are shipped to, such as s3://bucket/prefix, as it is now.
        port: where it listens; 0 is any free port.
        by: a column in the place of the features, such as client or session.
        since: count from 24h, 7d or 2026-11-01 on, as of when the command starts.
        tz: the time zone in which days begin, such as Europe/Berlin.
        demo: show four weeks of made-up traffic instead of a log.
        no_browser: print the address, open nothing.
    """
    from lectr_lab.analysis.scan import demo_log, scan
    from lectr_lab.analysis.views.groups import key_columns
    from lectr_lab.analysis.views.select import select
    from lectr_lab.config.limit_settings import LimitSettings
    from lectr_lab.config.settings import lab_here
    from lectr_lab.dashboards.doorman import Doorman
    from lectr_lab.dashboards.followed import Followed, folder_source, still_source
    from lectr_lab.dashboards.payload import TITLE
    from lectr_lab.dashboards.serve import DashboardServer
    from lectr_lab.log.folder import LabFolder
    from lectr_lab.log.schema import frame
    from lectr_lab.proxy.server.run import open_socket, run

    if isinstance(lab, Path) and lab.exists():
        LabFolder.used(lab)
    folder = lab or lab_here(os.environ)
    if is_far(folder):
        scan(folder)  # what is wrong with it is said before a page opens
    first = _first(since, tz)
    key_columns(frame([]).lazy(), by, org="")  # who mistypes it is told at once
    doorman = Doorman()
    title = _DEMO_TITLE if demo else TITLE

    def follow() -> Followed:
        if demo or isinstance(folder, str):
            log = demo_log() if demo else scan(folder)
            source = still_source(select(log, since=since, tz=tz).lazy(), tz, by)
        else:
            source = folder_source(folder, None, tz, by, first)
        return Followed(source, title=title, tz=tz, by=by)

    still = demo or is_far(folder)
    app = DashboardServer(follow, doorman, title, still=still)
    with open_socket(_HOST, port) as sock:
        address = f"http://{_HOST}:{sock.getsockname()[1]}{doorman.folder}?token={doorman.token}"
        limits = LimitSettings(
            request_line_bytes=4 * 1024,
            head_bytes=16 * 1024,
            head_timeout_s=10,
            body_timeout_s=10,
            keep_alive_s=15,
            connections=64,
            idle_connections=32,
        )
        try:
            run(app, sock, lambda: _started(address, no_browser), limits=limits)
        except KeyboardInterrupt:  # as it is meant to end
            say("Stopped.")


def _first(since: str | None, tz: str) -> datetime | None:
    from lectr_lab.analysis.views.select import period
    from lectr_lab.analysis.views.time_steps import zone

    zone(tz)
    found = period(since, tz=tz, now=datetime.now(UTC))
    if found.end is not None:
        raise LabError(
            f"--since {since}: a dashboard goes on. Name its first day alone, and zoom "
            "in the page."
        )
    return None if found.first is None else found.first.astimezone(UTC)


def _started(address: str, no_browser: bool) -> None:
    print(f"The dashboard is at\n\n  {address}\n")
    print("This address opens once. Ctrl-C stops it.", flush=True)
    if not no_browser and sys.stdout.isatty() and _has_screen():
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()


def _has_screen() -> bool:
    """Else Python would open a browser of the terminal, in this one."""
    named = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    return sys.platform == "darwin" or any(os.environ.get(name) for name in named)

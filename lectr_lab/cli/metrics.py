"""`lectr-lab metrics`: the log's counts for systems that watch."""

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from lectr_lab.cli.options import Lab
from lectr_lab.core.errors import ConfigError, MissingExtra

if TYPE_CHECKING:
    from lectr_lab.log.folder import LabFolder
    from lectr_lab.metrics.tail import Tail


def metrics(
    lab: Lab = None,
    *,
    port: int = 9464,
    host: str = "127.0.0.1",
    allowed_host: tuple[str, ...] = (),
    otlp: str | None = None,
    every: float = 60.0,
    since: str | None = None,
    once: bool = False,
    config: Path | None = None,
) -> None:
    """Serve the log's counts to Prometheus, or send them to a collector.

    A program of its own, beside any number of proxies: it reads what they log, so no
    request waits for it. Counted are requests, errors, tokens and spend, and the times
    of requests, by organisation, feature, provider, model and operation: the first 500
    such sets by name, the rest as `other`. Rows count as they are: what no provider
    reported is not estimated, and a response that was fetched twice counts twice.

    The figures are those of the whole log, from --since on, so that a restart goes on
    where they were. They go back, which systems of metrics read as a counter's reset,
    when days of the log were deleted before a restart, or when names are shared out
    anew. Every proxy of a log counts once, so run one of these for each lab.

    On this machine anybody may read them. With another --host, LECTR_METRICS_TOKEN (16
    characters or more) has to be set, and is sent as Authorization: Bearer.

    Example: lectr-lab metrics --port 9464

    Args:
        lab: the lab folder (default: the one lectr.toml names, else ./lab).
        port: where /metrics is, in Prometheus' text or as OpenMetrics; 0 is any free one.
        host: where to listen.
        allowed_host: a name by which a scrape may ask, beside this machine's own.
        otlp: sends them there, too, as OTLP in JSON, such as
            http://127.0.0.1:4318/v1/metrics. OTEL_EXPORTER_OTLP_HEADERS goes with it.
        every: seconds from one sending to the next.
        since: the first day that is counted, such as 2026-11-01 (default: the log's).
        once: print the metrics, or send them where --otlp is given, and end.
        config: the settings file (default: lectr.toml, where it is there).

    Raises:
        LabError: there is no such lab, the port is taken, or a token is missing.
    """
    try:
        from lectr_lab.metrics.prometheus import exposed
    except ModuleNotFoundError as error:
        raise MissingExtra(error.name, "metrics") from None
    from lectr_lab.config.settings import settings_here
    from lectr_lab.log.folder import LabFolder
    from lectr_lab.metrics.otlp import Pusher
    from lectr_lab.metrics.series import metrics as as_metrics
    from lectr_lab.metrics.serve import Latest, create_app, push_until, token_for
    from lectr_lab.proxy.server.run import open_socket, run

    if every < 1:
        raise ConfigError("--every: write a number of seconds, 1 or more.")
    folder = LabFolder.existing(lab or Path(settings_here(os.environ, config).lab))
    tail = _tail(folder, since)
    pusher = Pusher(otlp, os.environ) if otlp else None
    if once:
        tail.look()
        found = as_metrics(tail.total)
        if pusher is None:
            print(exposed(found)[0].decode(), end="")
        elif tail.first_day and (fault := pusher.push(found, tail.first_day)):
            raise ConfigError(f"{fault}. Look at --otlp {otlp}.")
        return
    token, latest = token_for(host, os.environ), Latest(folder, tail)
    with open_socket(host, port) as sock:
        at = f"http://{host}:{sock.getsockname()[1]}"
        tail.look()  # a long log takes 1 µs a row, and a scrape does not wait for that
        app = create_app(latest, [host, *allowed_host], token)
        stop = threading.Event()
        if pusher is not None:
            args = (stop, latest, pusher, every)
            threading.Thread(target=push_until, args=args, daemon=True).start()
        try:
            run(app, sock, lambda: print(f"Metrics are at {at}/metrics.", flush=True))
        finally:
            stop.set()


def _tail(folder: "LabFolder", since: str | None) -> "Tail":
    from datetime import date

    from lectr_lab.metrics.priced import priced_by_list
    from lectr_lab.metrics.tail import Tail

    try:
        first = date.fromisoformat(since) if since else None
    except ValueError:
        raise ConfigError("--since: write a day, such as 2026-11-01.") from None
    return Tail(folder, priced_by_list(folder), first)

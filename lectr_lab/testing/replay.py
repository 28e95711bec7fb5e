"""Put a cassette behind a running proxy, in this process: to test with it, or to write it.

    with lectr.replay("cassettes/chat.yaml") as proxy:
        answer = proxy.openai(feature="chat").chat.completions.create(...)
        proxy.assert_budget(usd_per_call=0.002)

`record` does the same with the real provider behind it, and writes the cassette.
"""

import contextlib
import os
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from lectr_lab.config.settings import Settings, settings_here
from lectr_lab.core.engine import Engine
from lectr_lab.core.errors import ConfigError
from lectr_lab.core.identity.keyed_hash import KeyedHash
from lectr_lab.launch import TAPE, Session
from lectr_lab.proxy.app import create_app
from lectr_lab.proxy.clock import Clock, SystemClock
from lectr_lab.proxy.server.run import in_thread
from lectr_lab.tape.cassette import Interaction, read_cassettes
from lectr_lab.tape.clock import PlayedClock
from lectr_lab.tape.engine import TapeEngine, played_by
from lectr_lab.tape.match import Matching, Tape
from lectr_lab.tape.record import Recorder
from lectr_lab.testing.figures import figures
from lectr_lab.testing.recorded_proxy import Box, RecordedProxy

_LOOPBACK = "127.0.0.1"

Mode = Literal["none", "once", "new_episodes", "all", "rewrite"]


class _OwnDice(SystemClock):
    """The machine's clock; the dice that a test has seeded stay the test's."""

    random_bits = staticmethod(random.Random().getrandbits)


@contextlib.contextmanager
def replay(
    cassette: Path | str,
    mode: Mode = "none",
    *,
    upstream: str | None = None,
    ignore: Sequence[str] = (),
    in_order: bool = False,
    scrub: Sequence[str] = (),
    prices: Path | str | None = None,
    may_replace: Callable[[], bool] = lambda: True,
) -> Iterator[RecordedProxy]:
    """A proxy on a free port that answers from a cassette, with its recorded latencies.

    Nothing waits: the log has the recording's times, to the microsecond, because the
    tape drives the proxy's clock.

    Args:
        cassette: the file, or a folder of them.
        mode: as vcrpy's: `none` never asks a provider; `once` records where there is
            no cassette; `new_episodes` records what the cassette does not have; `all`
            and `rewrite` record anew.
        upstream: where to record from: the base URL of a local server. Without it,
            what `./lectr.toml` says, or the providers themselves.
        ignore: fields of the request's body that do not count: `metadata.user`.
        in_order: the n-th request gets the n-th recording, whatever its body says.
        scrub: regular expressions of what else must not be written to a cassette;
            see `record`.
        prices: a file of prices beside the public ones.
        may_replace: asked before `all` or `rewrite` replaces a cassette; false: it is
            added to, for what it holds was recorded by this run of tests.

    Raises:
        CassetteError: the cassette is missing or cannot be used or written.
        ConfigError: `./lectr.toml`, or the file of prices, cannot be followed.
        MissingExtra: prices are given, and the price list is not installed.

    >>> from lectr_lab.resources import shipped_cassettes
    >>> with replay(shipped_cassettes() / "simulated") as proxy:
    ...     proxy.events().height
    0
    """
    path = Path(cassette)
    live = mode in ("new_episodes", "all", "rewrite")
    live = live or (mode == "once" and not path.exists())
    adds = mode in ("once", "new_episodes")
    kept: tuple[Interaction, ...] = ()
    if not live or (adds and path.exists()):
        kept = read_cassettes(path)
    box, session, its = Box(), Session(), figures()
    own = its.read_prices(prices) if prices else ()
    settings = live_settings(upstream) if live else played_by(Settings())
    settings = msgspec.structs.replace(settings, host=_LOOPBACK, key_in_path=True)
    patterns = (*settings.record.secrets, *scrub)
    recorder = (
        Recorder(path, patterns, kept=kept if adds else None, may_replace=may_replace)
        if live
        else None
    )
    played = None if live else PlayedClock()
    tape = Tape(kept, Matching(tuple(ignore), in_order))

    def engine(real: Engine) -> Engine:
        live_engine = recorder.wrap(real) if recorder else None
        return TapeEngine(tape, 0, played, live_engine, box.played.append)

    try:
        clock = played or _OwnDice()
        with _serving(settings, box, session, engine, clock) as base_url:
            proxy = RecordedProxy(
                base_url, session.key, box, its, prices=own, live=live
            )
            try:
                yield proxy
            finally:
                proxy.close_clients()
    finally:
        if recorder is not None and recorder.passed:
            proxy.saved = recorder.save()


def record(
    cassette: Path | str, *, upstream: str | None = None, scrub: Sequence[str] = ()
) -> contextlib.AbstractContextManager[RecordedProxy]:
    """A proxy on a free port that writes what passes to a cassette, at the end.

    Kept are bodies, and headers that are known to be harmless. Taken out and counted
    are keys, cookies and account names; what stands under a secret's name in JSON, a
    form, a URL or a text; secrets of public forms (AKIA…, ghp_…); and what else looks
    like one. A call in which one may be left is withheld. That is a heuristic: a
    password in prose, a secret in hexadecimal or of letters alone can stay. Name what
    is yours in `scrub` or `[record] secrets` in lectr.toml, and read the cassette
    before you commit it.

    Args:
        cassette: the file, `*.yaml`; it and its side file are replaced.
        upstream: the base URL of a local server. Without it, what `./lectr.toml` says,
            or the providers themselves.
        scrub: regular expressions of what else must not be written.

    Returns:
        A context manager; after it, `saved` says what was written and what was not.
    """
    return replay(cassette, "all", upstream=upstream, scrub=scrub)


def live_settings(upstream: str | None, config: Path | None = None) -> Settings:
    """What lectr.toml and the environment say, with a provider that can be asked.

    Args:
        upstream: the base URL of a local server, instead of the settings'.
        config: the settings file; `./lectr.toml`, where it is there.

    Raises:
        ConfigError: the file cannot be followed, or names a tape.
    """
    settings = settings_here(os.environ, config)
    # A cassette holds what the program asked for, so that it is found again.
    settings = msgspec.structs.replace(settings, rules=None, shadow=None)
    if upstream is not None:
        settings = msgspec.structs.replace(settings, upstream=upstream)
    if settings.upstream is not None and settings.upstream.startswith(TAPE):
        raise ConfigError(
            "A tape cannot be recorded. Name a server with upstream, or leave it out "
            "to ask the providers."
        )
    return settings


@contextlib.contextmanager
def _serving(
    settings: Settings,
    box: Box,
    session: Session,
    engine: Callable[[Engine], Engine],
    clock: Clock,
) -> Iterator[str]:
    """The real proxy, but for its log; yields its root URL."""
    find_key = session.keys().find
    hashes = KeyedHash("in memory, of a test")  # the same at each run
    app = create_app(settings, box, find_key, engine, clock=clock, keyed_hash=hashes)
    with in_thread(box.counting(app), limits=settings.limits) as base_url:
        yield base_url

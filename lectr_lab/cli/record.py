"""`lectr-lab record`: run a command, and keep what it asked and what it was told."""

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lectr_lab.core.errors import ConfigError

if TYPE_CHECKING:  # `--help` loads nothing that it does not show
    from lectr_lab.tape.record import Saved

_SUFFIXES = (".yaml", ".yml")


def record(
    cassette: str,
    *command: str,
    scrub: tuple[str, ...] = (),
    upstream: str | None = None,
    config: Path | None = None,
) -> None:
    """Run a command with its SDKs pointed at a proxy that records, then write a cassette.

    Kept are bodies, and headers that are known to be harmless. Taken out and counted
    are keys, cookies and account names; what stands under a secret's name in JSON, a
    form, a URL or a text; secrets of public forms (AKIA…, ghp_…); and what else looks
    like one. A call in which one may be left is withheld. That is a heuristic: a
    password in prose, a secret in hexadecimal or of letters alone can stay. Name what
    is yours with --scrub or `[record] secrets` in lectr.toml, and read the cassette
    before you commit it.

    The command's exit code is passed on.

    Example: lectr-lab record chat -- python app.py

    Args:
        cassette: a file, `*.yaml`, or a name: `chat` is cassettes/chat.yaml.
        command: what to run, after `--`.
        scrub: a regular expression of what else must not be written; may be repeated.
        upstream: the base URL of a local server to record from.
        config: the settings file (default: lectr.toml, where it is there).

    Raises:
        ConfigError: there is no command, it cannot be run, or the settings are wrong.
        CassetteError: a pattern is wrong, or the cassette cannot be written.
        SystemExit: with the command's exit code.
    """
    from lectr_lab.clients import environment
    from lectr_lab.launch import Session, build
    from lectr_lab.proxy.server.run import in_thread
    from lectr_lab.tape.record import Recorder
    from lectr_lab.testing.replay import live_settings

    if not command:
        raise ConfigError(f"What to run? lectr-lab record {cassette} -- python app.py")
    path, settings = cassette_path(cassette), live_settings(upstream, config)
    patterns = (*settings.record.secrets, *scrub)
    recorder, session = Recorder(path, patterns), Session()
    try:
        app = build(settings, session, tee=recorder.wrap)
        with in_thread(app, limits=settings.limits) as base_url:
            # A local server wants no key, but an SDK does not start without one.
            live = settings.upstream is None
            variables = environment(base_url, session.key, os.environ, live=live)
            code = _run(command, variables)
    finally:  # also where Ctrl-C ends it
        if recorder.passed:
            _tell(path, recorder.save())
        else:
            _say(f"nothing passed, so {path} was not written.")
    raise SystemExit(code)


def cassette_path(name: str) -> Path:
    """Where the cassette of this name is.

    >>> cassette_path("chat").as_posix(), cassette_path("tapes/a.yaml").as_posix()
    ('cassettes/chat.yaml', 'tapes/a.yaml')
    """
    path = Path(name)
    if path.suffix in _SUFFIXES:
        return path
    return Path("cassettes") / f"{name}.yaml"


def _run(command: tuple[str, ...], variables: dict[str, str]) -> int:
    """The command's exit code; a signal's as shells have it."""
    try:
        code = subprocess.run(command, env=os.environ | variables, check=False)
    except OSError as error:
        raise ConfigError(f"{command[0]} cannot be run: {error.strerror}.") from None
    return code.returncode if code.returncode >= 0 else 128 - code.returncode


def _tell(path: Path, saved: "Saved") -> None:
    _say(f"{saved.written} interactions in {path}.")
    for kind, values in saved.replaced.items():
        _say(f"{values} values taken out {kind}.")
    if saved.written:
        _say("what looks like no secret stays: read it before you commit it.")
    for reason, calls in saved.reasons.items():
        _say(f"{calls} withheld: {reason}.")
    if saved.unfinished:
        _say(f"{saved.unfinished} left out: they got no answer, or not all of it.")


def _say(text: str) -> None:
    """Standard output is the command's."""
    print(f"lectr-lab: {text}", file=sys.stderr)

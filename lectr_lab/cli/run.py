"""`lectr-lab run`: any program, with its LLM calls through a proxy of its own."""

import contextlib
import os
import shlex
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Literal

from lectr_lab.analysis.views.money import usd_sum
from lectr_lab.core.errors import ConfigError
from lectr_lab.proxy.stderr import say

if TYPE_CHECKING:  # `--help` loads nothing that it does not show
    from lectr_lab.cli.run_proxy import Passage
    from lectr_lab.config.settings import Settings
    from lectr_lab.programs.known import Program
    from lectr_lab.programs.setup import Setup
    from lectr_lab.programs.tally import Passed

Task = Literal[
    "classification", "summarisation", "extraction", "generation", "reasoning"
]
_NO_PROGRAM = """\
What to run? Name the program behind --:

  lectr-lab run -- claude
  lectr-lab run --feature review-bot -- codex exec "review this"
  lectr-lab run -- python app.py

Known are {}.
Of any other program the SDKs of OpenAI, Anthropic and Groq pass through as well."""


def run(
    *command: str,
    feature: str | None = None,
    task: Task | None = None,
    session: str | None = None,
    quiet: bool = False,
    config: Path | None = None,
) -> None:
    """Run a program with its LLM calls through a proxy, and say what they cost.

    Claude Code, Codex, opencode, Gemini CLI, Copilot CLI and aider are pointed at
    it as each reads it; any other program by the variables of OpenAI's,
    Anthropic's and Groq's SDKs. Where a login cannot be seen that is said, and the
    program runs as ever. Where `lectr-lab serve` runs for the same log and LECTR_KEY
    is one of its keys, its proxy is used; else the run has its own, with a key that
    ends with it. The log is the one that lectr.toml names, else ./lab.

    The program's exit code is passed on.

    Example: lectr-lab run --feature "fix-{branch}" -- claude

    Args:
        command: the program and its arguments, after `--`.
        feature: the tag of its calls (default: this folder's name); `{branch}` in it
            is git's.
        task: what its calls are for.
        session: a name for this run (default: the program's own sessions).
        quiet: print no line at the end.
        config: the settings file (default: lectr.toml, where it is there).

    Raises:
        ConfigError: there is no command, it cannot pass through, or the settings are
            wrong.
        ProxyError: the proxy could not start.
        SystemExit: with the program's exit code; 127 where there is none.
    """
    from lectr_lab.cli.run_proxy import passage
    from lectr_lab.programs.feature import as_header, feature_of
    from lectr_lab.programs.known import ANY, known, programs

    if not command:
        names = [n for n, p in programs().items() if n != ANY and not p.refused]
        raise ConfigError(_NO_PROGRAM.format(", ".join(names)))
    program = known(command[0])
    if program.refused:
        raise ConfigError(_wrapped(program.refused))
    _check_found(command[0], program)
    settings = _settings(config)
    named = {
        "X-Lectr-Feature": feature_of(Path.cwd(), feature),
        "X-Lectr-Task": task or "",
        "X-Lectr-Session": as_header(session or ""),
    }
    tags = {name: value for name, value in named.items() if value}
    tagged = tags.get("X-Lectr-Feature")
    with passage(settings, tagged) as way:
        code = _run(command, program, tags, settings, way)
    if not quiet:
        more = report_command(tagged, settings.lab if config else None)
        say(_in_words(way, settings.lab, more))
    raise SystemExit(code)


def report_command(feature: str | None, lab: str | None = None) -> str:
    """What to type to see more of a run.

    >>> report_command("my app"), report_command(None, "labs/a")
    ("lectr-lab report --feature 'my app'", 'lectr-lab report labs/a')
    """
    words = ["lectr-lab", "report", *([lab] if lab else [])]
    words += ["--feature", feature] if feature else []
    return shlex.join(words)


def _wrapped(text: str) -> str:
    """For a terminal of 80 columns, behind the name of the program."""
    return fill(text, 68, subsequent_indent="  ", break_on_hyphens=False)


def _check_found(name: str, program: "Program") -> None:
    """Told before anything starts, with the exit codes of shells.

    Raises:
        SystemExit: there is no such program, or it may not be run.
    """
    from lectr_lab.programs.process import EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND

    if shutil.which(name):
        return
    if os.sep in name and Path(name).exists():
        say(f"{name} cannot be run: it is no executable file. `chmod +x` makes it one.")
        raise SystemExit(EXIT_NOT_EXECUTABLE)
    how = (
        f"`{program.install}` installs it; or" if program.install else "Install it, or"
    )
    say(f"there is no program {name!r} in PATH. {how} name its path.")
    raise SystemExit(EXIT_NOT_FOUND)


def _settings(config: Path | None) -> "Settings":
    from lectr_lab.config.settings import settings_here
    from lectr_lab.launch import TAPE

    found = settings_here(os.environ, config)
    if found.upstream and found.upstream.startswith(TAPE):
        raise ConfigError(
            "upstream is a tape: `lectr-lab replay` serves it, to any program."
        )
    return found


def _run(
    command: tuple[str, ...],
    program: "Program",
    tags: Mapping[str, str],
    settings: "Settings",
    way: "Passage",
) -> int:
    """The program's exit code, with its calls through the proxy."""
    from lectr_lab.programs.logins import facts
    from lectr_lab.programs.setup import Way, set_up

    headers = {"X-Lectr-Key": way.key, **tags}
    told = facts(command, os.environ) | (
        {"settings.key_in_path"} if settings.key_in_path else set()
    )
    setup = set_up(program, Way(way.base_url, headers), os.environ, told, settings)
    for notice in setup.notices:
        say(_wrapped(notice))
    with _files(setup) as paths:
        variables = os.environ | setup.variables | paths
        return _started([command[0], *setup.words, *command[1:]], variables)


def _started(command: list[str], variables: dict[str, str]) -> int:
    from lectr_lab.programs import process

    try:
        return process.run(command, variables)
    except OSError as error:
        say(f"{command[0]} cannot be run: {error.strerror}.")
        return process.EXIT_NOT_EXECUTABLE


@contextlib.contextmanager
def _files(setup: "Setup") -> Iterator[dict[str, str]]:
    """The files that a program reads, while it runs; they hold this run's key alone."""
    if not setup.files:
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="lectr-") as folder:  # the user's alone
        paths = {name: Path(folder) / f"{name}.json" for name in setup.files}
        for name, path in paths.items():
            path.write_text(setup.files[name])
        yield {name: str(path) for name, path in paths.items()}


def _in_words(way: "Passage", lab: str, more: str) -> str:
    """The line at the end."""
    requests, failed = len(way.passed.event_ids), way.passed.failed
    if not requests and way.strangers:
        return _wrapped(
            f"{way.strangers} refused for want of an X-Lectr-Key: this program's SDK "
            "reads no headers from variables. The README says which do."
        )
    if not requests:
        return "no request came through: none was made, or it went elsewhere."
    words = f"{requests} request{'s' * (requests > 1)}"
    words += f" ({failed} failed)" if failed else ""
    return f"{words}, {_spent(way.passed, Path(lab))}. More: {more}"


def _spent(passed: "Passed", lab: Path) -> str:
    """What it cost, from the log, as a report would have it."""
    from lectr_lab.core.formatting import usd

    try:
        import polars as pl

        from lectr_lab.analysis.scan import scan

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a report says what cannot be read
            ours = pl.concat(
                scan(lab, day=day).filter(pl.col("event_id").is_in(passed.event_ids))
                for day in sorted(passed.days)
            ).select(
                usd_sum("cost_usd"),
                unpriced=(
                    pl.col("cost_usd").is_null() & pl.col("outcome").eq("ok")
                ).sum(),
            )
            [(spent, unpriced)] = ours.collect().iter_rows()
    except Exception as error:  # noqa: BLE001 - the program's exit code is what counts
        return f"at a cost that cannot be told ({type(error).__name__})"
    if unpriced and unpriced == len(passed.event_ids) - passed.failed:
        return "no price known"
    return usd(spent) + (f" and {unpriced} without a price" if unpriced else "")

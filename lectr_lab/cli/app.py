"""The door for shells: parse, call, print, exit."""

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

from cyclopts import App, Parameter

from lectr_lab.cli.options import folder
from lectr_lab.core.errors import ConfigError, LabError, MissingExtra
from lectr_lab.core.printable import printable

if TYPE_CHECKING:  # `--help` loads nothing that it does not show
    from lectr_lab.log.folder import LabFolder

CONFIG = Path("lectr.toml")
EXIT_ERROR = 2
EXIT_INTERRUPTED = 130

app = App(
    name="lectr-lab",
    help="What your LLM calls cost, where they are slow, and what is odd.",
    help_epilogue="""Examples:

  lectr-lab demo                      see it work: no key, no network
  lectr-lab init && lectr-lab serve   run the proxy for your own traffic
  lectr-lab keys create my-team       one more X-Lectr-Key
""",
    help_format="plaintext",
    default_parameter=Parameter(negative=()),
)
keys_app = App(
    name="keys",
    help="Make, change and list the X-Lectr-Keys.\n\nExample: lectr-lab keys list",
    help_epilogue="",
)
app.command(keys_app)
app.register_install_completion_command(
    help="Let bash, zsh or fish complete commands and their options.",
)
# Loaded when called, for each needs much; its own docstring is what its --help shows.
_COMMANDS = {
    "bench": ("bench:bench", "Measure what the proxy adds, on this machine."),
    "compact": ("compact:compact", "Merge the closed days of a log into few files."),
    "dashboard": (
        "dashboard:dashboard",
        "Show a log's charts in a browser, as it is being written.",
    ),
    "doctor": ("doctor:doctor", "Say what is wrong with a lab folder, and mend it."),
    "evidence": (
        "evidence:evidence",
        "Compare a cheaper model with the present one on recorded prompts.",
    ),
    "export": (
        "export:export",
        "Export the log as OpenTelemetry spans for other tools; never content.",
    ),
    "forecast": (
        "forecast:forecast",
        "Say what this month and next week will cost, and when a budget is reached.",
    ),
    "import": (
        "import_log:import_log",
        "Import calls from other tools' logs or any table; never their content.",
    ),
    "lab": (
        "jupyter:open_jupyterlab",
        "Open JupyterLab on the notebooks, with everything set.",
    ),
    "metrics": (
        "metrics:metrics",
        "Serve the log's counts to Prometheus, or send them to a collector.",
    ),
    "recommend": (
        "recommend:recommend",
        "Say where a cheaper model may do, what that saves, and why.",
    ),
    "reconcile": (
        "reconcile:reconcile",
        "Explain the difference between the log and a provider's own usage.",
    ),
    "record": ("record:record", "Record what a command sends and gets, as a cassette."),
    "replay": ("replay:replay", "Replay a cassette through the proxy, on a port."),
    "report": (
        "report:report",
        "Say what each feature costs, how slow it is and how often it fails.",
    ),
    "run": (
        "run:run",
        "Run a program with its calls through a proxy, and say what they cost.",
    ),
    "sessions": (
        "sessions:sessions",
        "Say what each session of an agent did and cost, or show one.",
    ),
    "ship": (
        "ship:ship",
        "Put sealed rows into an object store, for many proxies' logs to be read as one.",
    ),
    "simulate": (
        "simulate:simulate",
        "Say what rules would have changed, had they been on.",
    ),
    "watch": (
        "watch:watch",
        "Tell once of what is odd, and of budgets, as it happens.",
    ),
}
for _name, (_function, _does) in _COMMANDS.items():
    _path = f"lectr_lab.cli.{_function}"
    app.command(_path, name=_name, help=_does, help_epilogue="")
app.command(
    "lectr_lab.cli.rules:app",
    name="rules",
    help="List, check and explain the rules that choose models.\n\n"
    "Example: lectr-lab rules check",
)
app.command(
    "lectr_lab.cli.budgets:app",
    name="budgets",
    help="Say what budgets have left.\n\nExample: lectr-lab budgets",
)
app.command(
    "lectr_lab.cli.odd:app",
    name="odd",
    help="Say what is odd, dismiss it, or note what you did.\n\nExample: lectr-lab odd",
)

Config = Annotated[
    Path | None, Parameter(name="--config", help="Settings file (default: lectr.toml).")
]
Lab = Annotated[
    Path | None,
    Parameter(
        name=["--lab", "--folder"],
        converter=folder,
        help="The log's folder (default: the settings').",
    ),
]


@app.command
def demo(*, output: Path = Path("lectr-demo")) -> None:
    """Replay recorded traffic through the real proxy and show what it cost.

    Needs no key and no network. Writes a page of charts of the minute that it replays,
    one of four weeks of made-up traffic, and says where they are.

    Example: lectr-lab demo

    Args:
        output: the folder where the pages and the log go; an earlier demo there is
            replaced.
    """
    from lectr_lab.demo.run import run_demo

    run_demo(output)


@app.command
def init(*, org: str = "default", config: Config = None) -> None:
    """Write lectr.toml and make the first key, which is shown once.

    Example: lectr-lab init --org my-team

    Args:
        org: the organisation that the key belongs to.
        config: where to write the settings.
    """
    from lectr_lab.cli.templates import SETTINGS, environment, write_rules
    from lectr_lab.config.settings import read_settings
    from lectr_lab.log.folder import LabFolder
    from lectr_lab.log.key_file import create_key

    path = config or CONFIG
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(SETTINGS)
    except FileExistsError:
        raise ConfigError(
            f"{path} is there already. `lectr-lab keys create` makes another key; "
            "`lectr-lab serve` runs the proxy."
        ) from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}.") from None
    write_rules(path.parent)
    settings = read_settings(path, os.environ)
    _, key = create_key(LabFolder.create(Path(settings.lab)), org)
    print(f"Wrote {path}. The log will be in {settings.lab}.\n")
    print("This key is shown once. Keep it like a password:\n")
    print(f"  export LECTR_KEY={key}\n")
    print("Start the proxy:\n\n  lectr-lab serve\n")
    print(environment(settings.base_url()))


@app.command
def serve(
    *,
    config: Config = None,
    host: str | None = None,
    port: int | None = None,
    allow_plain_http: bool = False,
    log_format: Literal["text", "json"] | None = None,
    workers: int | None = None,
) -> None:
    """Run the proxy until Ctrl-C.

    The users that bodies name are logged as hashes, under a secret of the lab's own.
    LECTR_HASH_KEY (16 characters or more) takes its place: the same for all proxies
    whose hashes are to agree.

    SIGUSR2 reads the settings again; no request is lost, and what [watch] and [ship] run
    beside goes by them too. What is wrong in them is said, and those read before stay.

    Example: lectr-lab serve --port 9000

    Args:
        config: the settings, as written by `lectr-lab init`.
        host: where to listen, instead of the settings' host.
        port: the same for the port; 0 is any free one.
        allow_plain_http: listen beyond this machine without TLS. Keys then cross the
            network unencrypted.
        log_format: of what it says on standard error: sentences, or a line of JSON each
            (time, level, code, sentence) for a collector of logs. Requests are in the log.
        workers: how many processes answer at the port; for more than one processor.
            SIGUSR2 replaces them one after another, by the settings as they are then,
            and loses no request.
    """
    from lectr_lab.beside import read_and_tell
    from lectr_lab.cli.ship_beside import shipped
    from lectr_lab.cli.templates import environment
    from lectr_lab.config.settings import read_settings
    from lectr_lab.launch import Order, run
    from lectr_lab.proxy.stderr import FORMAT_VARIABLE
    from lectr_lab.watching.beside import watched

    if log_format:
        os.environ[FORMAT_VARIABLE] = log_format
    flags = {
        "LECTR_HOST": host,
        "LECTR_PORT": None if port is None else str(port),
        "LECTR_ALLOW_PLAIN_HTTP": "true" if allow_plain_http else None,
        "LECTR_WORKERS": None if workers is None else str(workers),
    }
    environ = os.environ | {name: v for name, v in flags.items() if v is not None}
    read = partial(read_settings, (config or CONFIG).absolute(), environ)
    settings = read()

    def started(base_url: str) -> None:
        many = f" with {settings.workers} workers" if settings.workers > 1 else ""
        print(f"lectr-lab listens on {base_url}{many}. The log is in {settings.lab}.")
        print("Ctrl-C stops it.\n")
        print(environment(base_url))
        print("\nWaiting for the first request …", flush=True)

    def first(*_: object) -> None:
        print("Your first request has arrived.", flush=True)

    with watched(settings) as watcher, shipped(settings) as shipper:
        reread = partial(read_and_tell, read, settings, (watcher, shipper))
        if settings.workers > 1:
            from lectr_lab.workers.supervise import supervise

            supervise(settings, started, first, reread)
        else:
            run(Order(settings=settings), started, first, reread=reread)


@keys_app.command
def create(
    org: str, *, feature: str | None = None, config: Config = None, lab: Lab = None
) -> None:
    """Make a key for an organisation. It is shown once.

    Example: lectr-lab keys create my-team --feature chat

    Args:
        org: letters, digits, dot, dash and underscore.
        feature: counts for requests of this key that name no feature themselves.
    """
    from lectr_lab.log.key_file import create_key

    entry, key = create_key(_lab(config, lab), org, feature)
    print(f"{entry.key_id} of {entry.org}, shown once:\n\n  export LECTR_KEY={key}")


@keys_app.command
def rotate(key: str, *, config: Config = None, lab: Lab = None) -> None:
    """Replace a key by a new one, which is shown once; the old one stops at once.

    Example: lectr-lab keys rotate my-team

    Args:
        key: the key's id from `lectr-lab keys list`, or an organisation with one key.
    """
    from lectr_lab.log.key_file import rotate_key

    entry, new = rotate_key(_lab(config, lab), key)
    print(f"{entry.key_id} of {entry.org}, shown once:\n\n  export LECTR_KEY={new}")


@keys_app.command
def disable(key: str, *, config: Config = None, lab: Lab = None) -> None:
    """Stop a key, or all keys of an organisation.

    Example: lectr-lab keys disable my-team

    Args:
        key: the key's id from `lectr-lab keys list`, or an organisation.
    """
    from lectr_lab.log.key_file import disable_key

    for entry in disable_key(_lab(config, lab), key):
        print(f"{entry.key_id} of {entry.org} is disabled.")


@keys_app.command(name="list")
def list_keys(*, config: Config = None, lab: Lab = None, json: bool = False) -> None:
    """List the keys. What is shown here opens nothing.

    Example: lectr-lab keys list

    Args:
        json: for other programs: a list with an object per key.
    """
    import polars as pl

    from lectr_lab.cli.say import say, say_json
    from lectr_lab.cli.width import wide_console
    from lectr_lab.log.key_file import list_keys as entries
    from lectr_lab.tables import text_table

    keys = [
        {
            "key": entry.key_id,
            "org": entry.org,
            "state": "disabled" if entry.disabled_at else "active",
            "made": entry.created_at.date(),
            "feature": entry.feature,
        }
        for entry in entries(_lab(config, lab))
    ]
    if json:
        say_json(keys)
    elif keys:
        width = wide_console().width
        say(text_table(pl.DataFrame(keys), width=width, most_rows=len(keys)))
    else:
        say("No keys yet. `lectr-lab keys create my-team` makes one.")


def _lab(config: Path | None, lab: Path | None) -> "LabFolder":
    found = _named(config, lab)
    if warning := found.exposed():
        print(f"lectr-lab: {printable(warning)}", file=sys.stderr)
    return found


def _named(config: Path | None, lab: Path | None) -> "LabFolder":
    from lectr_lab.config.settings import settings_here
    from lectr_lab.log.folder import LabFolder

    if lab is not None:
        return LabFolder.create(LabFolder.used(lab).root)
    settings = settings_here(os.environ, config)
    named = config is not None or CONFIG.is_file()
    if not named and not Path(settings.lab).is_dir():  # a notebook's, where there is
        raise ConfigError(
            f"No {CONFIG} here, nor {settings.lab}. Run `lectr-lab init`, or name the "
            "folder of a running proxy's log with --lab."
        )
    return LabFolder.create(Path(settings.lab))


def _fail(error: LabError) -> NoReturn:
    from lectr_lab.proxy.stderr import say

    say(str(error), code=type(error).__name__, level="error")
    sys.exit(EXIT_ERROR)


def main() -> None:
    """The `lectr-lab` command."""
    try:
        for command in _COMMANDS.keys() & sys.argv[1:2]:
            app[command].help = None  # the list's line; its docstring says more
        app(result_action="return_value")
        sys.stdout.flush()
    except LabError as error:
        _fail(error)
    except ModuleNotFoundError as error:
        _fail(MissingExtra(error.name))
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:  # such as `report --format csv | head`: enough was read
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

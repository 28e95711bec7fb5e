"""`lectr-lab budgets`: how budgets stand, and what dead processes left in them."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App, Parameter

from lectr_lab.cli.options import Lab
from lectr_lab.cli.say import say, say_json
from lectr_lab.core.errors import LogError

if TYPE_CHECKING:
    from lectr_lab.config.budget_settings import BudgetSettings

app = App(
    name="budgets",
    help_epilogue="",
    help_format="plaintext",
    default_parameter=Parameter(negative=()),
)
_NONE = (
    "No budgets in lectr.toml. One that warns at $50 a day:\n\n"
    '  [[budget]]\n  usd = 50\n  per = "day"\n\n'
    'action = "stop" refuses what could cost more; for = "user" gives each user one.'
)


@app.default
def show(lab: Lab = None, *, json: bool = False, config: Path | None = None) -> None:
    """Say how each budget of lectr.toml stands in its present window.

    Of a budget for each of several, the dollars are those of whoever spent the most.

    Example: lectr-lab budgets

    Args:
        lab: the lab folder (default: the one lectr.toml names).
        json: as JSON, with every number.
        config: the settings file (default: lectr.toml, where it is there).

    Raises:
        LabError: the settings cannot be followed.
    """
    from lectr_lab.budgets.of_lab import states_of

    folder, budgets = _found(lab, config)
    states = states_of(folder, budgets)
    if json:
        import msgspec

        say_json(msgspec.to_builtins(states))  # \xf6 would be no JSON
        return
    if not states:
        say(_NONE)
        return
    from lectr_lab.budgets.frame import notes, state_frame
    from lectr_lab.cli.width import wide_console
    from lectr_lab.tables import text_table

    frame = state_frame(states)
    idle = [c for c in ("held_usd", "lost_usd", "refused") if not frame[c].sum()]
    width = wide_console().width
    seldom = ("unpriced", "requests", "left_usd", "action")
    say(text_table(frame.drop(idle), width=width, first_to_go=seldom))
    for note in notes(states):
        say(f"\n{note}")


@app.command
def release(lab: Lab = None, *, config: Path | None = None) -> None:
    """Give back what proxies that died had set aside for requests.

    It counts as spent until then, or until its window ends: whether their requests
    were answered, and billed, nobody knows.

    Example: lectr-lab budgets release

    Args:
        lab: the lab folder (default: the one lectr.toml names).
        config: the settings file (default: lectr.toml, where it is there).

    Raises:
        LabError: the settings cannot be followed, or the sums cannot be written.
    """
    from lectr_lab.budgets.of_lab import meters_of
    from lectr_lab.budgets.states import release as give_back
    from lectr_lab.log.folder import LabFolder

    folder, budgets = _found(lab, config)
    found = LabFolder.existing(folder)
    try:
        given = give_back(found, meters_of(found, budgets, os.environ))
    except OSError as error:
        raise LogError(
            f"{found.state / 'budgets'} cannot be written: {error.strerror}. Run this as "
            "the user that runs the proxy."
        ) from None
    for name, usd in given.items():
        say(f"{name}: ${usd:.4g} given back.")
    if not given:
        say("Nothing was left by a process that died.")


def _found(
    lab: Path | None, config: Path | None
) -> tuple[Path, "tuple[BudgetSettings, ...]"]:
    """The lab folder and its budgets."""
    from lectr_lab.config.settings import settings_beside, settings_here

    if lab is not None and config is None:
        return lab, settings_beside(lab, os.environ).budgets
    settings = settings_here(os.environ, config)
    return lab or Path(settings.lab), settings.budgets

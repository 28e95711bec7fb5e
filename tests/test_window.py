"""The names that `import lectr_lab` offers, and the words at all doors."""

import inspect
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from cyclopts import App

import lectr_lab
from lectr_lab.cli.app import app

PACKAGE = Path(lectr_lab.__file__).parent
PUBLIC = """
    Conditions LabError Proxy Recommendation Rule RuleTarget assert_budget cache
    cache_loss_bars cache_losses cache_savings cluster compact compare compare_bars
    cost_of_failures cost_of_retries dashboard dearest demo_log doctor echo_provider
    error_rates errors evidence export_log forecast import_log latency latency_ranges
    odd read_cassettes recommend reconcile record replay scan select session sessions
    shipped_agent_runs shipped_cassettes shipped_policy simulate spend spend_bars
    spend_over_time spend_timeline start summary table titled token_bars tokens totals
    unpriced_models untagged_bars
""".split()

ANY_NAME = {"export_log", "select"}

# Of a thing that has one name at every door, what else it could be called.
OTHER_WORDS = {
    "lab": {"folder", "lab_folder", "log_folder"},
    "cassette": {"tape", "recording", "recordings"},
    "upstream": {"base_url", "server", "engine"},
    "prices": {"price_file", "price_list"},
    "speed": {"tape_speed"},
    "columns": {"column"},
    "epoch": {"zero"},
}


def test_the_public_names_are_these():
    """Whoever adds or takes one changes this list, and the changelog."""
    assert dir(lectr_lab) == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_each_name_is_there_and_says_what_it_is(name):
    """Loaded when it is used, with a docstring of its own."""
    assert inspect.getdoc(getattr(lectr_lab, name))


def test_what_is_not_public_is_not_there():
    """A typing error is told at once."""
    with pytest.raises(AttributeError, match="has no attribute 'spends'"):
        lectr_lab.spends  # noqa: B018


def test_a_star_brings_them_all():
    """`__all__` is the same list."""
    program = "from lectr_lab import *; print(*sorted(n for n in dir() if n[0] != '_'))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == PUBLIC


def test_the_stub_is_a_line_for_each_name_and_nothing_else():
    """A line in another form would be known to type checkers, and not to a program."""
    stub = files("lectr_lab").joinpath("__init__.pyi").read_text("utf-8")
    lines = [line for line in stub.splitlines() if not line.startswith("#")]

    assert sorted(line.split()[-1] for line in lines) == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_an_option_is_offered_by_its_name(name):
    """`**options` would complete nothing; columns of a log have any name."""
    one = getattr(lectr_lab, name)
    if not inspect.isfunction(one):
        return
    kinds = {p.kind for p in inspect.signature(one).parameters.values()}

    assert inspect.Parameter.VAR_KEYWORD not in kinds or name in ANY_NAME


def test_no_room_bears_a_public_name():
    """It would stand in its place as soon as it is imported."""
    rooms = {path.stem for path in PACKAGE.iterdir()}

    assert not rooms & set(PUBLIC)


def commands(of: App) -> Iterator[Callable[..., object]]:
    """Every command's function, those of sub-commands too."""
    for name in of:
        if not name.startswith("-"):
            command = of[name]
            if command.default_command is not None:
                yield command.default_command
            yield from commands(command)


def doors() -> list[object]:
    """What users call: commands, and the functions and classes of the window."""
    public = [getattr(lectr_lab, name) for name in PUBLIC]
    methods = [
        method
        for one in public
        if inspect.isclass(one)
        for name, method in inspect.getmembers(one, inspect.isfunction)
        if not name.startswith("_")
    ]
    return [*commands(app), *filter(inspect.isfunction, public), *methods]


@pytest.mark.parametrize("door", doors(), ids=lambda door: door.__qualname__)
def test_a_thing_has_one_name_at_every_door(door):
    """The folder of a log is `lab`, a recording `cassette`, a local server `upstream`."""
    others = set().union(*OTHER_WORDS.values())

    assert not others & set(inspect.signature(door).parameters)


def test_the_doors_are_all_there():
    """The law above is not empty."""
    names = {door.__name__ for door in doors()}

    assert {"report", "serve", "create", "explain", "scan", "start", "headers"} <= names


# What starts a process or writes beside a test shows nothing by itself.
NO_EXAMPLE = {"start", "record"}


@pytest.mark.parametrize(
    "name", [n for n in PUBLIC if inspect.isfunction(getattr(lectr_lab, n))]
)
def test_each_function_has_an_example_with_something_to_look_at(name):
    """On `demo_log()` where it takes a log, and on no empty frame."""
    said = inspect.getdoc(getattr(lectr_lab, name))
    shown = inspect.signature(getattr(lectr_lab, name)).parameters

    assert ">>> " in said or name in NO_EXAMPLE
    assert "frame([])" not in said
    if next(iter(shown), "") == "log":
        assert "demo_log()" in said

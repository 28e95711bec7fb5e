"""An option that many commands have."""

import inspect
from importlib import import_module

import pytest

from lectr_lab.cli.app import _COMMANDS
from lectr_lab.cli.options import Lab


@pytest.mark.parametrize("path", [path for path, _ in _COMMANDS.values()])
def test_a_lab_has_both_its_names(path):
    """Wherever a command takes one to read."""
    module, function = path.split(":")
    found = getattr(import_module(f"lectr_lab.cli.{module}"), function)

    lab = inspect.signature(found).parameters.get("lab")

    assert lab is None or lab.default is not None or lab.annotation == Lab

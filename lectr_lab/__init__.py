"""What your LLM calls cost, where they are slow, and what is odd: in a notebook.

A public name is loaded when it is first used, so that the proxy never loads polars, and
`lectr-lab --help` next to nothing. What loads late cannot be imported here, and type
checkers and editors do not run a program: they read the stub, `__init__.pyi`. So the
stub is the one list of public names, and `__getattr__` looks them up in it.

>>> import lectr_lab as lectr
>>> lectr.Rule.__module__
'lectr_lab.core.routing.rules'
"""

import functools  # by its name: the window has a `cache` of its own
import sys
from importlib import import_module
from typing import Any

from lectr_lab.core.errors import MissingExtra


@functools.cache
def _modules() -> dict[str, str]:
    """Of each public name, the module that has it."""
    import re
    from importlib.resources import files

    stub = files(__name__).joinpath("__init__.pyi").read_text("utf-8")
    lines = re.findall(r"^from (\S+) import (\w+) as \2$", stub, re.MULTILINE)
    return {name: module for module, name in lines}


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return sorted(_modules())
    if name not in _modules():
        raise AttributeError(f"module 'lectr_lab' has no attribute {name!r}")
    try:
        return getattr(import_module(_modules()[name]), name)
    except ModuleNotFoundError as error:
        raise MissingExtra(error.name) from error


def __dir__() -> list[str]:
    return sorted(_modules())


def load_ipython_extension(ipython: Any) -> None:
    """`%load_ext lectr_lab` brings the `%lectr` magic."""
    from lectr_lab.notebook.magic import register

    register(ipython)


if "IPython" in sys.modules:  # in a kernel an error of ours is its sentence
    import_module("lectr_lab.notebook.tracebacks").mask_tracebacks()
    import_module("lectr_lab.notebook.completion").load_when_idle(_modules())

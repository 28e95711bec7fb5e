"""Charts are there seconds sooner where JupyterLab is installed.

Altair imports jsonschema, and that the check of IRIs which JupyterLab asks for: it builds
forty parsers as it is imported, most of all the time that a first chart takes. No chart
has an IRI to check.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from types import ModuleType

_GRAMMAR = "rfc3987_syntax"


@contextmanager
def loaded_late() -> Iterator[None]:
    """Whoever imports jsonschema meanwhile loads the check when an IRI is checked."""
    if _GRAMMAR in sys.modules or find_spec(_GRAMMAR) is None:
        yield
        return
    late = ModuleType(_GRAMMAR)
    late.__dict__["is_valid_syntax"] = _is_valid_syntax
    sys.modules[_GRAMMAR] = late
    try:
        yield
    finally:
        del sys.modules[_GRAMMAR]


def _is_valid_syntax(term: str, value: str) -> bool:
    import rfc3987_syntax

    valid: bool = rfc3987_syntax.is_valid_syntax(term, value)
    return valid

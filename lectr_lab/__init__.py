"""What your LLM calls cost, where they are slow, and what is odd: in a notebook.

>>> import lectr_lab as lectr
>>> lectr.scan.__module__
'lectr_lab.analysis.scan'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lectr_lab.core.errors import MissingExtra

if TYPE_CHECKING:
    from lectr_lab.analysis.recommend import recommend
    from lectr_lab.analysis.simulate import simulate
    from lectr_lab.charts import error_rates, latency_ranges, spend_bars
    from lectr_lab.core.errors import LabError
    from lectr_lab.dashboards import dashboard
    from lectr_lab.evaluation.evidence import evidence
    from lectr_lab.notebook.proxy import Proxy, start
    from lectr_lab.notebook.views import (
        demo_log,
        errors,
        latency,
        scan,
        spend,
        summary,
        tokens,
    )
    from lectr_lab.resources import shipped_cassettes
    from lectr_lab.tables import table
    from lectr_lab.testing.budget import assert_budget
    from lectr_lab.testing.replay import record, replay

# A name is loaded when it is first used, so that the proxy never loads polars, and
# `lectr-lab --help` loads next to nothing.
_SHELVES = {
    "lectr_lab.analysis.recommend": ["recommend"],
    "lectr_lab.analysis.simulate": ["simulate"],
    "lectr_lab.charts": ["error_rates", "latency_ranges", "spend_bars"],
    "lectr_lab.core.errors": ["LabError"],
    "lectr_lab.dashboards": ["dashboard"],
    "lectr_lab.evaluation.evidence": ["evidence"],
    "lectr_lab.notebook.proxy": ["Proxy", "start"],
    "lectr_lab.notebook.views": [
        *("demo_log", "errors", "latency", "scan", "spend", "summary", "tokens"),
    ],
    "lectr_lab.resources": ["shipped_cassettes"],
    "lectr_lab.tables": ["table"],
    "lectr_lab.testing.budget": ["assert_budget"],
    "lectr_lab.testing.replay": ["record", "replay"],
}
_WINDOW = {name: shelf for shelf, names in _SHELVES.items() for name in names}

__all__ = [
    "LabError",
    "Proxy",
    "assert_budget",
    "dashboard",
    "demo_log",
    "error_rates",
    "errors",
    "evidence",
    "latency",
    "latency_ranges",
    "recommend",
    "record",
    "replay",
    "scan",
    "shipped_cassettes",
    "simulate",
    "spend",
    "spend_bars",
    "start",
    "summary",
    "table",
    "tokens",
]


def __getattr__(name: str) -> Any:
    if name not in _WINDOW:
        raise AttributeError(f"module 'lectr_lab' has no attribute {name!r}")
    try:
        return getattr(import_module(_WINDOW[name]), name)
    except ModuleNotFoundError as error:
        raise MissingExtra(error.name) from error


def load_ipython_extension(ipython: Any) -> None:
    """`%load_ext lectr_lab` brings the `%lectr` magic."""
    from lectr_lab.notebook.magic import register

    register(ipython)


def __dir__() -> list[str]:
    return __all__

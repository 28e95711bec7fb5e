"""Figures, not words: each with whether its law holds."""

import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

_MOST_EXAMPLES = 8


class Figure(NamedTuple):
    """One line. `examples` say what broke its law."""

    what: str
    result: str
    holds: bool = True
    examples: Sequence[str] = ()


def none(what: str, examples: Sequence[str], of: str = "") -> Figure:
    """A law that there be none of something.

    >>> none("doubles", [], "of 20 rows").result
    '**0** of 20 rows'
    """
    result = f"**{len(examples):,}** {of}".rstrip()
    return Figure(what, result, not examples, examples)


def equal(what: str, values: dict[str, object]) -> Figure:
    """A law that several ways to look see the same.

    >>> equal("rows", {"scan": 3, "DuckDB": 3}).result
    'scan, DuckDB: equal'
    """
    several = {str(value) for value in values.values()}
    examples = [f"{way}: {value}" for way, value in values.items()]
    if len(several) == 1:
        return Figure(what, f"{', '.join(values)}: equal")
    return Figure(what, "**not equal**", False, examples)


def at_most(what: str, value: float, limit: float, unit: str = "") -> Figure:
    """A law with a bound."""
    result = f"{value:,.4g} {unit}".rstrip() + f" (at most {limit:,.4g})"
    return Figure(what, result, value <= limit, [result])


def page(figures: Sequence[Figure], flags: Sequence[str]) -> str:
    """The table as a file of its own: by what it was made, when, and of which commit."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    made = f"Made by `python tests/soak.py {' '.join(flags)}`; do not edit."
    when = f"{datetime.now(UTC):%-d %B %Y}, commit {commit or 'unknown'}."
    return f"# Under traffic and faults\n\n{made}\n{when}\n\n{table(figures)}\n"


def table(figures: Sequence[Figure]) -> str:
    """All of them in Markdown, and below it what did not hold."""
    lines = ["| what | result |", "|---|---|"]
    lines += [
        f"| {f.what} | {f.result}{'' if f.holds else ' **BROKEN**'} |" for f in figures
    ]
    broken = [f for f in figures if not f.holds]
    for figure in broken:
        lines += ["", f"Broken: {figure.what}"]
        lines += [f"  {example}" for example in figure.examples[:_MOST_EXAMPLES]]
        if (more := len(figure.examples) - _MOST_EXAMPLES) > 0:
            lines.append(f"  … and {more:,} more")
    count = (
        f"{len(broken)} of {len(figures)} laws broken." if broken else "All laws held."
    )
    return "\n".join([*lines, "", count])

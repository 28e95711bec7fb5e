"""What changed between two spans: a fall of steps from one sum to the other."""

from typing import Literal, Protocol, runtime_checkable

import altair as alt
import polars as pl

from lectr_lab.charts import style
from lectr_lab.core.change_words import DUST_USD, made_by, rose_by, signed_usd
from lectr_lab.core.errors import LabError
from lectr_lab.core.formatting import count, names, usd

_PARTS = ("requests", "models", "prompt", "cache", "answer", "price", "other")
_MOST_STEPS = 10
_SUM, _RISE, _FALL = style.GREY, style.VERMILLION, style.BLUE


@runtime_checkable
class Compared(Protocol):
    """What `compare` gives."""

    def frame(self) -> pl.DataFrame:
        """One row per group."""


def compare_bars(
    compared: Compared | pl.DataFrame, of: Literal["causes", "groups"] = "causes"
) -> alt.LayerChart:
    """From the spend of one span to that of the other, step by step, in US dollars.

    Args:
        compared: what `compare` gives, or its `frame()`.
        of: the steps: what made the change, or whose it is, the dearest ten and all
            others.

    Raises:
        LabError: it is nothing that `compare` gives.

    >>> import lectr_lab as lectr
    >>> lectr.compare_bars(lectr.compare(lectr.demo_log())).title.text
    'Spend rose by $5.99 (+35 %): less read from the cache'
    """
    known = _known(compared)
    steps = _causes(known) if of == "causes" else _groups(known)
    before, after = (float(known[f"{n}_usd"].sum()) for n in ("before", "after"))
    shown = _stairs(steps, before, after)
    low = min(0.0, style.smallest(shown, "low"))
    high = style.largest(shown, "high") or 1.0
    domain = [low, low + (high - low) * style.room(shown)]
    x = alt.X("low").scale(domain=domain, nice=False).axis(None)
    y = style.names_on_y(shown)
    base = alt.Chart(shown).encode(y, tooltip=[style.tip("label", of), "text"])
    layers = (
        base.mark_bar(**style.BAR).encode(
            x, alt.Color("colour").scale(None), x2="high"
        ),
        base.mark_text(**style.TEXT).encode(alt.X("high"), text="text"),
    )
    n = [count(int(known[name].sum())) for name in ("requests_before", "requests")]
    subtitle = f"US dollars, before and after · n {n[0]} and {n[1]} requests"
    title = _title(steps, before, after)
    return style.beside(title, subtitle, shown, *layers)


def _known(compared: Compared | pl.DataFrame) -> pl.DataFrame:
    """The groups that both spans have a known cost of."""
    if isinstance(compared, pl.DataFrame):
        found = compared
    else:
        found = compared.frame() if isinstance(compared, Compared) else pl.DataFrame()
    if not {"change_usd", *map(_column, _PARTS)} <= {*found.columns}:
        raise LabError("This chart takes what `compare(log)` gives, not a log.")
    return found.filter(pl.col("change_usd").is_not_null())


def _causes(known: pl.DataFrame) -> list[tuple[str, float]]:
    """The parts of the change, the largest first; what is next to nothing is none."""
    sums = {part: float(known[_column(part)].sum()) for part in _PARTS}
    some = [part for part in _PARTS if abs(sums[part]) > DUST_USD]
    some.sort(key=lambda part: -abs(sums[part]))
    return [(made_by(part, sums[part]), sums[part]) for part in some]


def _column(part: str) -> str:
    return f"from_{part}_usd"


def _groups(known: pl.DataFrame) -> list[tuple[str, float]]:
    shown = style.labelled(known, lambda row: "")
    changes = list(zip(shown["label"], known["change_usd"].to_list(), strict=False))
    few = changes[:_MOST_STEPS]
    rest = float(known["change_usd"].sum()) - sum(usd for _, usd in few)
    others = known.height - len(few)
    return few + ([(f"{style.OTHERS} ({count(others)})", rest)] if others else [])


def _stairs(
    steps: list[tuple[str, float]], before: float, after: float
) -> pl.DataFrame:
    """A bar for each sum and step, each step from where the last one ended."""
    rows = [("before", 0.0, before, _SUM, usd(before))]
    at = before
    for label, change in steps:
        low, high = min(at, at + change), max(at, at + change)
        colour = _RISE if change > 0 else _FALL
        rows.append((label, low, high, colour, signed_usd(change)))
        at += change
    rows.append(("after", 0.0, after, _SUM, usd(after)))
    columns = ("words", "low", "high", "colour", "text")
    found = pl.DataFrame(dict(zip(columns, zip(*rows, strict=True), strict=True)))
    words = found["words"].to_list()
    short = names(words, style.NAME_LETTERS)
    return found.with_columns(
        pl.Series("label", names(words)), pl.Series("key", style.keyed(short))
    ).drop("words")


def _title(steps: list[tuple[str, float]], before: float, after: float) -> str:
    """What changed, and the step that made most of it, of those that went this way."""
    change = after - before
    along = [step for step in steps if step[1] * change > 0]
    most = max(along, key=lambda step: abs(step[1]), default=None)
    if most is None:
        return rose_by(before, after)
    return f"{rose_by(before, after)}: {names([most[0]], style.NAME_LETTERS)[0]}"

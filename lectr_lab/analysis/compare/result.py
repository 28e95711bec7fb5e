"""What `compare` found: a table of changes that shows itself, and its sum in words."""

from typing import Any

import msgspec
import polars as pl

from lectr_lab.analysis.compare.spans import Span, named, zone_of
from lectr_lab.analysis.dollars_split import PARTS
from lectr_lab.core.change_words import DUST_USD, made_by, rose_by, signed_usd
from lectr_lab.core.formatting import count, name, usd
from lectr_lab.core.printable import printable
from lectr_lab.tables import html_table, text_table

SHOWN_PARTS = PARTS
_MADE_BY = [f"from_{part}_usd" for part in PARTS]
_LEAST_SHARE = 0.02  # of the largest part, to be named
_NAMED = 3
FIRST_TO_GO: tuple[str, ...] = (
    *("requests_before", "requests", "from_other_usd", "from_price_usd"),
    *("from_answer_usd", "from_models_usd", "before_usd", "from_prompt_usd"),
)
"""Columns that tell the least, where there is no room for all."""


class Comparison(msgspec.Struct, frozen=True):
    """Two spans of a log side by side, the dearest change first."""

    before: Span
    after: Span
    changes: pl.DataFrame
    notes: tuple[str, ...] = ()  # what makes the spans less alike than they look

    def frame(self) -> pl.DataFrame:
        """One row per group; its columns are those that `compare` names."""
        return self.changes

    def total(self) -> dict[str, Any]:
        """The sum of all groups that both spans have a known cost of: `requests`,
        `requests_before`, `change_usd`, `before_usd`, `after_usd` and the parts; and
        `unknown`, the groups that are in no sum."""
        known = self.changes.filter(pl.col("change_usd").is_not_null())
        sums = known.select(
            pl.col("requests", "requests_before").sum(),
            pl.col("change_usd", "before_usd", "after_usd", *_MADE_BY).sum(),
        ).row(0, named=True)
        return sums | {"unknown": len(self.changes) - len(known)}

    def in_short(self) -> str:
        """What changed and what made it, in sentences."""
        return change_text(self)

    def to_dict(self) -> dict[str, Any]:
        """The spans, the sum, the rows and what is said of them, as plain values."""
        spans = {"before": self.before, "after": self.after}
        told = {
            which: {"first": at.first.isoformat(), "end": at.end.isoformat()}
            for which, at in spans.items()
        }
        text = [self.in_short(), *self.notes]
        return told | {
            "total": self.total(),
            "groups": self.changes.to_dicts(),
            "text": "\n".join(text),
        }

    def text(self, width: int | None = None) -> str:
        """The table and its sentences, in lines of so many letters."""
        shown = self.shown()
        first_to_go = [name for name in FIRST_TO_GO if name in shown.columns]
        table = text_table(shown, width=width, first_to_go=first_to_go)
        rows = [] if self.changes.is_empty() else [table, ""]
        return "\n".join([*rows, self.in_short(), *map(printable, self.notes)])

    def shown(self) -> pl.DataFrame:
        """What is looked at first: the change, then what made it; no column of zeros."""
        found = self.changes
        keys = found.columns[: found.columns.index("requests")]
        if len(keys) > 1 and "org" in keys and found["org"].n_unique() <= 1:
            keys.remove("org")
        sizes: dict[str, Any] = found.select(pl.col(_MADE_BY).abs().max()).row(
            0, named=True
        )
        some = [part for part in _MADE_BY if (sizes[part] or 0) > DUST_USD]
        dust = pl.col("change_usd", *some).abs() <= DUST_USD
        return found.with_columns(
            pl.when(dust).then(0.0).otherwise(pl.col("change_usd", *some)).name.keep()
        ).select(
            *keys,
            *("change_usd", "before_usd", "after_usd"),
            *some,
            *("requests_before", "requests"),
        )

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        title = f"What changed: {_of_spans(self)}"
        return html_table(
            self.shown(), title=title, note=[self.in_short(), *self.notes]
        )


def _of_spans(found: Comparison) -> str:
    return f"{named(found.before)}, then {named(found.after)}{zone_of(found.after)}"


def change_text(found: Comparison) -> str:
    """What changed, what made it, and whose it is most."""
    total = found.total()
    spans = _of_spans(found)
    if not (total["requests"] or total["requests_before"]):
        lacks = _unknown(total["unknown"])
        return f"No request with a known cost in either span: {spans}.{lacks}"
    change, before, after = (total[f"{n}_usd"] for n in ("change", "before", "after"))
    n = f"{count(total['requests_before'])} and {count(total['requests'])} requests"
    head = f"{rose_by(before, after)} ({spans}; {n})."
    if abs(change) > DUST_USD:
        sums = f"from {usd(before)} to {usd(after)}"
        head = f"{rose_by(before, after)}: {sums} ({spans}; {n})."
    why = _made_by(total)
    lines = [head, f"What made it: {why}." if why else "", _most(found)]
    text = "\n".join(filter(None, lines))
    return text + _unknown(total["unknown"]) + _lacks(found.changes)


def _made_by(sums: dict[str, Any]) -> str:
    """The parts in words, the largest first; what is next to nothing is left out."""
    parts = {part: sums[f"from_{part}_usd"] or 0.0 for part in PARTS}
    largest = max(map(abs, parts.values()))
    some = sorted(parts, key=lambda part: -abs(parts[part]))
    return ", ".join(
        f"{made_by(part, parts[part])} {signed_usd(parts[part])}"
        for part in some
        if abs(parts[part]) > max(DUST_USD, _LEAST_SHARE * largest)
    )


def _most(found: Comparison) -> str:
    """Whose change is dearest, and what made most of that."""
    rows = found.shown().filter(pl.col("change_usd") != 0)
    keys = rows.columns[: rows.columns.index("change_usd")]
    if found.changes.height < 2 or rows.is_empty() or not keys:
        return ""
    told = []
    for row in rows.head(_NAMED).iter_rows(named=True):
        parts = {part: row.get(f"from_{part}_usd") or 0.0 for part in PARTS}
        main = max(PARTS, key=lambda part: parts[part] * row["change_usd"])
        whose = " · ".join(name(str(row[key])) for key in keys)
        why = f", {made_by(main, parts[main])}" if parts[main] else ""
        told.append(f"{whose} {signed_usd(row['change_usd'])}{why}")
    return f"Most of it: {'; '.join(told)}."


def _unknown(groups: int) -> str:
    if not groups:
        return ""
    which = "1 group is" if groups == 1 else f"{count(groups)} groups are"
    return f" {which} in no sum: of their calls in one span no cost is known."


def _lacks(changes: pl.DataFrame) -> str:
    """How much of both spans is not in the sums, or is an estimate."""
    told = []
    for column in ("unpriced", "uncounted", "estimated"):
        before, after = (int(changes[column + end].sum()) for end in ("_before", ""))
        if before or after:
            told.append(f"{count(before)} then {count(after)} {column}")
    return f" Of the calls, {', '.join(told)}." if told else ""

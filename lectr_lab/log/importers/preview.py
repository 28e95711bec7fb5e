"""What was understood of a file, before anything of it is in the log."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from lectr_lab.core import formatting
from lectr_lab.core.event import columns
from lectr_lab.log.importers.report import ImportReport, sentences

_KINDS_SHOWN = 12
_EXAMPLES = 40  # characters
_NOT_SHOWN = frozenset({"event_id", "org", "kind", "source", "token_source"})


class Preview(NamedTuple):
    """What an import would do, and of what it would be.

    `columns` has, of each column that rows fill: how many do, the sum of its counts
    (None where it has none), and one value. `kinds` counts calls by operation, provider
    and model.
    """

    report: ImportReport
    first: datetime | None
    last: datetime | None
    kinds: Mapping[tuple[str, str, str], int]
    columns: Mapping[str, tuple[int, float | None, str]]


class Understood:
    """Adds up events as they are read."""

    def __init__(self) -> None:
        self._first: datetime | None = None
        self._last: datetime | None = None
        self._kinds: Counter[tuple[str, str, str]] = Counter()
        self._filled: Counter[str] = Counter()
        self._sums: dict[str, float] = {}
        self._examples: dict[str, str] = {}
        self._summed = frozenset(c.name for c in columns() if ".usage." in c.otel)

    def add(self, event: Mapping[str, Any]) -> None:
        """One more event, by column."""
        at = event["started_at"]
        self._first = at if self._first is None else min(self._first, at)
        self._last = at if self._last is None else max(self._last, at)
        model = event.get("model_actual") or event.get("model_requested")
        names = (event.get("operation"), event.get("provider"), model)
        self._kinds[tuple(str(name or "-") for name in names)] += 1  # type: ignore[index]
        for name, value in event.items():
            if name in _NOT_SHOWN or value is None:
                continue
            self._filled[name] += 1
            if name in self._summed and isinstance(value, int | float):
                self._sums[name] = self._sums.get(name, 0) + value
            self._examples.setdefault(name, str(value)[:_EXAMPLES])

    def preview(self, report: ImportReport) -> Preview:
        """All of it, with what an import would do."""
        shown = {
            c.name: (
                self._filled[c.name],
                self._sums.get(c.name),
                self._examples[c.name],
            )
            for c in columns()
            if c.name in self._filled
        }
        return Preview(report, self._first, self._last, dict(self._kinds), shown)


def preview_text(preview: Preview) -> str:
    """A preview for a terminal."""
    report = preview.report
    head = (
        f"{formatting.count(report.read)} calls, {preview.first:%Y-%m-%d %H:%M} to "
        f"{preview.last:%Y-%m-%d %H:%M} UTC: {formatting.count(report.added)} would be "
        "added. Nothing is written."
    )
    lines = [head, "", "calls  operation, provider, model"]
    kinds = sorted(preview.kinds.items(), key=lambda item: -item[1])
    lines += [
        f"{formatting.count(n):>5}  {', '.join(map(formatting.name, names))}"
        for names, n in kinds[:_KINDS_SHOWN]
    ]
    if others := len(kinds) - _KINDS_SHOWN:
        lines += [f"       and {others} other kinds"] if others > 0 else []
    lines += ["", f"{'column':<24}{'filled':>10}{'sum':>16}  such as"]
    for name, (filled, total, example) in preview.columns.items():
        said = (
            "" if total is None else f"{total:,.6g}" if total % 1 else f"{total:,.0f}"
        )
        filled_text = formatting.count(filled)
        lines.append(
            f"{name:<24}{filled_text:>10}{said:>16}  {formatting.visible(example)}"
        )
    told = list(sentences(report))
    return "\n".join([*lines, *([""] if told else []), *told])

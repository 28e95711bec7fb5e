"""What `recommend` found: a sequence that shows itself, and what it passed over."""

from collections import Counter
from collections.abc import Iterator
from html import escape

import msgspec
import polars as pl
import polars.selectors as cs

from lectr_lab.core import formatting
from lectr_lab.core.event import UNTAGGED
from lectr_lab.core.recommendation import Recommendation
from lectr_lab.others import with_others
from lectr_lab.tables import html_table, text_table
from lectr_lab.tables.columns import MOST_ROWS

TITLE = "What a smaller model could do"
_FIRST_TO_GO = ("confidence", "task", "spend_usd")
_SCHEMA = {
    "org": pl.String(),
    "feature": pl.String(),
    "task": pl.String(),
    "provider": pl.String(),
    "from_model": pl.String(),
    "to_model": pl.String(),
    "confidence": pl.String(),
    "requests": pl.Int64(),
    "days": pl.Int64(),
    "spend_usd": pl.Float64(),
    "saving_usd_month": pl.Float64(),
    "saving_usd_month_low": pl.Float64(),
    "saving_usd_month_high": pl.Float64(),
    "reasons": pl.List(pl.String()),
}


class PassedOver(msgspec.Struct, frozen=True, kw_only=True):
    """A group for which nothing is recommended, and why."""

    org: str
    feature: str | None
    task: str | None
    provider: str | None
    model: str | None
    requests: int
    kind: str  # one of a few words, to count by
    why: tuple[str, ...]


class Recommendations(msgspec.Struct, frozen=True):
    """Recommendations, the largest saving first, and the groups that have none."""

    found: tuple[Recommendation, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()
    unjudged: tuple[int, int] = (0, 0)  # groups and requests: cheaper than those judged
    unsaid: int = 0  # where nothing was judged: requests that do not say what they are

    def __iter__(self) -> Iterator[Recommendation]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    def __getitem__(self, i: int) -> Recommendation:
        return self.found[i]

    @property
    def notes(self) -> tuple[str, ...]:
        """What was passed over, counted by its kind, in words."""
        groups = Counter(passed.kind for passed in self.passed_over)
        requests: Counter[str] = Counter()
        for passed in self.passed_over:
            requests[passed.kind] += passed.requests
        found = [(kind, n, requests[kind]) for kind, n in sorted(groups.items())]
        if self.unjudged[0]:
            found.append(("not among the dearest, and so not judged", *self.unjudged))
        return tuple(
            f"{kind}: {formatting.count(n)} {'group' if n == 1 else 'groups'}, "
            f"{formatting.count(asked)} requests"
            for kind, n, asked in found
        )

    def frame(self) -> pl.DataFrame:
        """One row per recommendation, the largest saving first.

        Returns:
            `org`, `feature`, `task`, `provider`, `from_model`, `to_model`,
            `confidence`, `requests`, `days` (with traffic), `spend_usd` over these,
            `saving_usd_month` with `_low` and `_high` (null under 7 days of traffic),
            and `reasons`.
        """
        return pl.DataFrame([_row(r) for r in self.found], schema=_SCHEMA, orient="row")

    def passed_over_frame(self) -> pl.DataFrame:
        """One row per group that has no recommendation, with the reasons."""
        names = PassedOver.__struct_fields__
        kinds = [pl.String()] * 5 + [pl.Int64(), pl.String(), pl.List(pl.String())]
        rows = [tuple(getattr(p, name) for name in names) for p in self.passed_over]
        return pl.DataFrame(
            rows, schema=dict(zip(names, kinds, strict=True)), orient="row"
        )

    def _repr_html_(self) -> str:
        lists = "".join(
            f"<li>{escape(_title(r))}<ul>"
            + "".join(f"<li>{escape(reason)}</li>" for reason in r.reasons)
            + "</ul></li>"
            for r in self.found[:MOST_ROWS]
        )
        # What it saves stands where a narrow cell still shows it.
        names = ("org", "feature", "task", "from_model", "to_model")
        first = cs.by_name(names, require_all=False)
        saving = cs.starts_with("saving_usd_month")
        shown = self._shown().drop("provider").select(first, saving, ~(first | saving))
        table = html_table(shown, title=self._head(), note=self._note(), script=True)
        if not lists:
            return table
        return f'{table}<ol class="{formatting.NO_MATH}">{lists}</ol>'

    def __repr__(self) -> str:
        return self.in_full()

    def in_full(self, width: int | None = None) -> str:
        """The table for a terminal of a width, with the reasons below it."""
        lines = [self.in_short(width), ""] if self.found else []
        for r in self.found[:MOST_ROWS]:
            lines += [_title(r), *(f"  - {reason}" for reason in r.reasons), ""]
        return "\n".join([*lines, self._note()])

    def in_short(self, width: int | None = None) -> str:
        """A table for a terminal of a width, without the reasons."""
        some = with_others(self._shown(), MOST_ROWS)
        short = some.drop("provider", "requests", "days")
        table = text_table(
            short, width=width, most_rows=len(short), first_to_go=_FIRST_TO_GO
        )
        return f"{self._head()}\n{table}"

    def _orgs(self) -> list[str]:
        return list({r.org for r in self.found} | {p.org for p in self.passed_over})

    def _head(self) -> str:
        """Whose traffic it is stands in the title, where it is one org's."""
        orgs = self._orgs()
        return f"{TITLE}, for {formatting.name(orgs[0])}" if len(orgs) == 1 else TITLE

    def _shown(self) -> pl.DataFrame:
        """The frame without its reasons, and without the org that the title names."""
        found = self.frame().drop("reasons")
        return found if len(self._orgs()) > 1 else found.drop("org")

    def _nothing(self) -> str:
        text = "No answered chat request to judge."
        if self.unsaid:
            text += (
                f" {formatting.count(self.unsaid)} requests do not say what kind of call "
                "they were, or how they ended: if it is so, import them with "
                "operation==chat and outcome==ok."
            )
        return text

    def _note(self) -> str:
        text = "" if self.found or self.passed_over else self._nothing()
        if self.passed_over:
            text = "Not recommended for: " + "; ".join(self.notes) + "."
        if self.found:
            text = (
                "Savings a month with a 90 % interval over days, for the same traffic and "
                f"the same tokens. No quality has been measured. {text}"
            )
        return text.rstrip()


def _title(r: Recommendation) -> str:
    feature = UNTAGGED if r.feature is None else formatting.name(r.feature)
    return f"{feature}: {formatting.name(r.from_model)} to {r.to_model}"


def _row(r: Recommendation) -> tuple[object, ...]:
    interval = r.saving_interval
    return (
        r.org,
        r.feature,
        r.task,
        r.provider,
        r.from_model,
        r.to_model,
        r.confidence,
        r.requests,
        r.days,
        r.spend_usd,
        r.saving_usd_month,
        interval.low if interval else None,
        interval.high if interval else None,
        list(r.reasons),
    )

"""What `recommend` found: a sequence that shows itself, and what it passed over."""

from collections import Counter
from collections.abc import Iterator
from html import escape
from pathlib import Path

import msgspec
import polars as pl

from lectr_lab.analysis.recommend.as_rules import (
    RulesText,
    rules_of,
    rules_text,
    write_rules,
)
from lectr_lab.core import formatting
from lectr_lab.core.event import UNTAGGED
from lectr_lab.core.recommendation import Recommendation
from lectr_lab.core.routing.rules import Rule
from lectr_lab.others import with_others
from lectr_lab.tables import html_table, text_table
from lectr_lab.tables.columns import MOST_ROWS

TITLE = "What a smaller model could do"
_FIRST_TO_GO = ("days", "requests", "provider", "confidence", "task", "spend_usd")
_SAVING = ("saving_usd_month", "saving_usd_month_low", "saving_usd_month_high")
_SOMETIMES = ("task", "to_retires_on", *_SAVING)
_ORDER = ["org", "feature", *_SAVING, "spend_usd", "from_model", "to_model"]
_ORDER += ["to_retires_on", "confidence", "task", "provider", "requests", "days"]
_SCHEMA = {
    "org": pl.String(),
    "feature": pl.String(),
    "task": pl.String(),
    "provider": pl.String(),
    "from_model": pl.String(),
    "to_model": pl.String(),
    "to_retires_on": pl.Date(),
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
    asked_for: tuple[str, ...] = ()  # as clients wrote the model


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
            `to_retires_on` (where within 90 days), `confidence`, `requests`, `days` (with traffic), `spend_usd` over these,
            `saving_usd_month` with `_low` and `_high` (null under 7 days of traffic),
            and `reasons`.
        """
        return pl.DataFrame([_row(r) for r in self.found], schema=_SCHEMA, orient="row")

    def passed_over_frame(self) -> pl.DataFrame:
        """One row per group that has no recommendation, with the reasons."""
        names = PassedOver.__struct_fields__[:-1]
        kinds = [pl.String()] * 5 + [pl.Int64(), pl.String(), pl.List(pl.String())]
        rows = [tuple(getattr(p, name) for name in names) for p in self.passed_over]
        return pl.DataFrame(
            rows, schema=dict(zip(names, kinds, strict=True)), orient="row"
        )

    def rules(
        self, path: Path | str | None = None, *, overwrite: bool = False
    ) -> RulesText:
        """The recommendations as routing rules: the text of a rules.toml.

        Args:
            path: the file to write it to; one without a rule is added to.
            overwrite: replace a file that has rules.

        Raises:
            ConfigError: there is nothing to write, or the file has rules already.

        >>> print(Recommendations().rules().splitlines()[0])
        # What `lectr-lab recommend` found, as rules. `lectr-lab simulate` says what they would
        """
        text = rules_text(self.found, self.passed_over)
        if path is not None:
            write_rules(Path(path), text, overwrite=overwrite)
        return text

    def as_rules(self) -> tuple[Rule, ...]:
        """The same rules as values, in the order in which they are tried."""
        return rules_of(self.found, self.passed_over)

    def _repr_html_(self) -> str:
        lists = "".join(
            f"<li>{escape(_title(r))}<ul>"
            + "".join(f"<li>{escape(reason)}</li>" for reason in r.reasons)
            + "</ul></li>"
            for r in self.found[:MOST_ROWS]
        )
        table = html_table(
            self._shown(), title=self._head(), note=self._note(), script=True
        )
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
        gone = [name for name in _FIRST_TO_GO if name in some.columns]
        table = text_table(some, width=width, most_rows=len(some), first_to_go=gone)
        return f"{self._head()}\n{table}"

    def _orgs(self) -> list[str]:
        return list({r.org for r in self.found} | {p.org for p in self.passed_over})

    def _head(self) -> str:
        """Whose traffic it is stands in the title, where it is one org's."""
        orgs = self._orgs()
        return f"{TITLE}, for {formatting.name(orgs[0])}" if len(orgs) == 1 else TITLE

    def _shown(self) -> pl.DataFrame:
        """What a person reads, money first: a narrow cell still shows it.

        Without what the title says, what is one for all, and what is there for none.
        """
        found = self.frame()
        aside = {"reasons"} | ({"org"} if len(self._orgs()) <= 1 else set())
        if found["provider"].n_unique() <= 1:
            aside.add("provider")
        aside |= {name for name in _SOMETIMES if found[name].null_count() == len(found)}
        return found.select(name for name in _ORDER if name not in aside)

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
                "A saving a month is what such days save on average, with a 90 % interval "
                "of that average: the same requests, the same number of tokens. What next "
                "month's traffic will be, `forecast` says. No quality has been measured: "
                f"`evidence` compares answers. {text}"
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
        r.to_retires_on,
        r.confidence,
        r.requests,
        r.days,
        r.spend_usd,
        r.saving_usd_month,
        interval.low if interval else None,
        interval.high if interval else None,
        list(r.reasons),
    )

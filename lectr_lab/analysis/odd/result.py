"""What `odd` found: incidents that show themselves, and what was looked at."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from html import escape
from typing import NamedTuple

import polars as pl

from lectr_lab.analysis.odd import stated
from lectr_lab.analysis.odd.calibrate import WARM_UP
from lectr_lab.analysis.odd.evidence_rows import incident_rows
from lectr_lab.analysis.odd.incidents import Incident
from lectr_lab.analysis.odd.series import series_frame
from lectr_lab.analysis.odd.split import FACTORS
from lectr_lab.core import formatting
from lectr_lab.core.errors import LabError
from lectr_lab.tables import html_table, text_table
from lectr_lab.tables.columns import MOST_ROWS

TITLE = "What is odd"


class Looked(NamedTuple):
    """What was looked at: for `Oddities` to say, and to draw from."""

    log: pl.LazyFrame
    cells: pl.DataFrame
    keys: tuple[str, ...]
    by: str | Sequence[str]
    budget: float
    since: datetime
    now: datetime
    tz: str
    begun: pl.DataFrame  # the keys and `first`, when each series was first seen


class Oddities:
    """Incidents, the last one first, each with a sentence; a sequence of `Incident`.

    `lectr.odd` makes it. `incidents` is a frame of them, `series` what one feature
    showed beside what was expected, `rows` the calls of an incident, and `stated` says
    what the budget promises and what was measured of it.
    """

    def __init__(self, found: Sequence[Incident], looked: Looked) -> None:
        self.found = tuple(found)
        self.looked = looked

    def __iter__(self) -> Iterator[Incident]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    def __getitem__(self, i: int) -> Incident:
        return self.found[i]

    @property
    def incidents(self) -> pl.DataFrame:
        """One row per incident, as `frame` gives it."""
        return self.frame()

    def frame(self) -> pl.DataFrame:
        """One row per incident, the last one first.

        Returns:
            `id`, `org` and what was asked by (`feature`), `kind` (the strongest) and
            `kinds`, `onset`, `end` (null while open) and `found` (the look that told of
            it), all UTC; `actual`, `expected` and `size`, their ratio, in the units of
            the kind (requests, USD, ms, tokens, or a share); `z`; `requests` in it;
            `usd` and `usd_over`, and its parts, which add up to it: `requests_usd`,
            `models_usd`, `cache_usd`, `prompt_usd`, `answer_usd`, `price_usd`;
            `feature_weeks`, in how many chance shows one like it; `first_rows`, ids of
            events to look at; `changed`, what else did at that time; and `sentence`.
        """
        return pl.DataFrame(
            [self._row(one) for one in self.found], schema=self._schema(), orient="row"
        )

    def series(
        self, feature: str, kind: str = "traffic_high", *, org: str | None = None
    ) -> pl.DataFrame:
        """What one series showed, and what was expected of it, for a picture.

        Args:
            feature: the series' name, such as a feature or what was asked by.
            kind: one of the eleven kinds.
            org: whose it is, where several have one of that name.

        Returns:
            One row per hour: `time` (the start, UTC), `actual`, `expected`, and `low`
            and `high`, beyond which an hour alone would be an incident; in the units of
            the kind. Null where nothing is known.

        Raises:
            LabError: there is no such series or kind, or several orgs have it.
        """
        look = self.looked
        return series_frame(
            look.cells, look.keys, (org, feature), kind,
            now=look.now, tz=look.tz, budget=look.budget,
        )  # fmt: skip

    def rows(self, incident: Incident | str) -> pl.LazyFrame:
        """The calls of an incident: those of its series from its onset to its end.

        Args:
            incident: one of these, or its id.

        Raises:
            LabError: there is none of that id.
        """
        wanted = incident if isinstance(incident, str) else incident.id
        for one in self.found:
            if one.id == wanted:
                look = self.looked
                return incident_rows(look.log, one, look.keys, look.by)
        raise LabError(f"There is no incident {wanted!r} here; `.incidents` lists ids.")

    @property
    def stated(self) -> str:
        """The budget, what was measured of it, and what cannot be known yet."""
        return " ".join([stated.in_words(self.looked.budget), *self._not_yet()])

    def waiting(self) -> pl.DataFrame:
        """The series that are too young to be judged: when the 48 hours of each end.

        Returns:
            The keys, `first` and `active` (UTC).
        """
        begun, now = self.looked.begun, self.looked.now
        active = pl.col("first").dt.truncate("1h") + timedelta(hours=WARM_UP)
        return begun.with_columns(active=active).filter(pl.col("active") > now)

    def _not_yet(self) -> list[str]:
        young, all_of_it = self.waiting(), self.looked.begun.height
        if not all_of_it:
            return ["No request yet: judged from 48 hours of traffic on."]
        said = []
        if young.height:
            hours = (young["active"].max() - self.looked.now) / timedelta(hours=1)  # type: ignore[operator]
            whole = f"{max(1, -int(-hours // 1)):d} h"
            if young.height == all_of_it:
                said.append(
                    f"Not active yet: the first 48 hours teach. Active in {whole}."
                )
            else:
                said.append(
                    f"{young.height} of {all_of_it} are younger than 48 hours: active "
                    f"in {whole}."
                )
        first = self.looked.begun["first"].min()
        week = timedelta(days=7)
        if young.height < all_of_it and self.looked.now - first < 2 * week:  # type: ignore[operator]
            said.append(
                "With less than two weeks of record, a weekend or a Monday can look odd."
            )
        return said

    def _schema(self) -> dict[str, pl.DataType]:
        moment = pl.Datetime("us", "UTC")
        figure = pl.Float64()
        return {
            "id": pl.String(),
            **dict.fromkeys(self.looked.keys, pl.String()),
            "kind": pl.String(),
            "kinds": pl.List(pl.String()),
            **dict.fromkeys(("onset", "end", "found"), moment),
            **dict.fromkeys(("actual", "expected", "size", "z"), figure),
            "requests": pl.Int64(),
            **dict.fromkeys(("usd", "usd_over"), figure),
            **{f"{name}_usd": figure for name in FACTORS},
            "feature_weeks": figure,
            "first_rows": pl.List(pl.Binary()),
            "changed": pl.List(pl.String()),
            "sentence": pl.String(),
        }

    def _row(self, one: Incident) -> tuple[object, ...]:
        return (
            one.id, *map(_text, one.series), one.kind, list(one.kinds),
            one.onset, one.end, one.found, one.actual, one.expected, one.size, one.z,
            one.n, one.usd, one.usd_over, *(one.parts[name] for name in FACTORS),
            one.feature_weeks, list(one.first_rows), list(one.changed), one.sentence,
        )  # fmt: skip

    def __repr__(self) -> str:
        return self.in_full()

    def in_full(self, width: int | None = None) -> str:
        """The incidents for a terminal of a width, with a sentence for each."""
        lines = [self._head()]
        if self.found:
            lines.append(text_table(self._shown(), width=width))
            lines.append("")
        for one in self.found[:MOST_ROWS]:
            lines += [f"- {one.sentence}", *(f"    {text}" for text in one.changed)]
        return "\n".join([*lines, *self._notes()])

    def _repr_html_(self) -> str:
        notes = self._notes()
        if not self.found:
            return html_table(pl.DataFrame(), title=self._head(), note=notes)
        table = html_table(self._shown(), title=self._head(), note=notes)
        listed = "".join(
            f"<li>{escape(' '.join([one.sentence, *_changed(one)]))}</li>"
            for one in self.found[:MOST_ROWS]
        )
        return f'{table}<ul class="{formatting.NO_MATH}">{listed}</ul>'

    def _shown(self) -> pl.DataFrame:
        orgs = {one.series[0] for one in self.found}
        frame = self.frame().with_columns(
            pl.col("onset", "end").dt.convert_time_zone(self.looked.tz)
        )
        several = ["org"] if len(orgs) > 1 else []
        keys = [key for key in self.looked.keys if key != "org"]
        return frame.select(
            *several, *keys, "kinds", "onset", "end", "size", "requests", "usd_over",
            "feature_weeks",
        )  # fmt: skip

    def _head(self) -> str:
        look = self.looked
        orgs = look.begun["org"].unique().to_list() if look.begun.height else []
        whose = f", for {formatting.name(orgs[0])}" if len(orgs) == 1 else ""
        when = f"{look.since:%Y-%m-%d} to {look.now:%Y-%m-%d %H:%M} UTC"
        n = len(self.found)
        found = f"{n} {'incident' if n == 1 else 'incidents'}" if n else "nothing"
        return f"{TITLE}{whose}: {found}, {when}"

    def _notes(self) -> list[str]:
        return [stated.in_words(self.looked.budget), *self._not_yet()]


def _changed(one: Incident) -> list[str]:
    return [f"At that time: {'; '.join(one.changed)}."] if one.changed else []


def _text(value: object) -> str | None:
    return None if value is None else str(value)

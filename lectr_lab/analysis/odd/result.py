"""What `odd` found: incidents that show themselves, and what was looked at."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from lectr_lab.analysis.odd import remarks as remarking
from lectr_lab.analysis.odd import stated
from lectr_lab.analysis.odd.calibrate import WARM_UP
from lectr_lab.analysis.odd.evidence_rows import incident_rows
from lectr_lab.analysis.odd.incidents import Incident
from lectr_lab.analysis.odd.remarks import DAYS, Dismissal
from lectr_lab.analysis.odd.series import series_frame
from lectr_lab.analysis.odd.split import FACTORS
from lectr_lab.core import formatting
from lectr_lab.core.errors import LabError
from lectr_lab.log.folder import LabFolder
from lectr_lab.tables import html_table, text_table
from lectr_lab.tables.columns import MOST_ROWS

if TYPE_CHECKING:  # a table needs nothing to draw with
    from lectr_lab.charts.style import Drawing

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
    lab: LabFolder | None = None  # whose dismissals and notes hold


class Oddities:
    """Incidents, the last one first, each with a sentence; a sequence of `Incident`.

    `lectr.odd` makes it. `incidents` is a frame of them, `series` what one feature
    showed beside what was expected, `rows` the calls of an incident, `picture` draws
    one, `dismiss` keeps its kinds quiet, and `stated` says what the budget promises and
    what was measured of it. `dismissed` are those that stay quiet, with what was said.
    """

    def __init__(
        self,
        found: Sequence[Incident],
        looked: Looked,
        said: Sequence[Dismissal] = (),
    ) -> None:
        self.looked = looked
        of = [
            (one, remarking.dismissal_of(one, looked.keys, said, looked.now))
            for one in found
        ]
        self.found = tuple(one for one, quiet in of if quiet is None)
        self.dismissed = tuple((one, quiet) for one, quiet in of if quiet is not None)

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
        look = self.looked
        return incident_rows(look.log, self._one(incident), look.keys, look.by)

    def picture(self, incident: Incident | str | None = None) -> "Drawing":
        """An incident, drawn: what was asked beside what was expected, by the hour.

        Args:
            incident: one of these, or its id; None: the last one.

        Raises:
            LabError: there is none of that id, or none at all.

        >>> import lectr_lab as lectr
        >>> lectr.odd(lectr.demo_log()).picture().title.text
        'untagged: other prompt lengths since 20 November, 13:00'
        """
        from lectr_lab.analysis.odd.drawn import picture_of

        if incident is None and not self.found:
            raise LabError("Nothing is odd here, so there is nothing to draw.")
        one = self.found[0] if incident is None else self._one(incident)
        look = self.looked
        own = look.cells.filter(
            pl.all_horizontal(
                pl.col(key).eq_missing(pl.lit(value))
                for key, value in zip(look.keys, one.series, strict=True)
            )
        )
        return picture_of(
            one, own, look.keys, now=look.now, tz=look.tz, budget=look.budget
        )

    def dismiss(
        self,
        incident: Incident | str,
        *,
        why: str,
        by: str | None = None,
        days: float = DAYS,
        lab: Path | str | None = None,
    ) -> Dismissal:
        """Keep the kinds of an incident quiet for its series: here, and in `watch`.

        Args:
            incident: one of these, or its id.
            why: the reason, for others.
            by: who says so; without it, the user of this process.
            days: for how long from now.
            lab: the folder that remembers it, where `odd` was given a frame.

        Returns:
            What was remembered, in `state/odd.json` of the lab.

        Raises:
            LabError: there is none of that id, no reason, or no lab to write in.
        """
        folder = self.looked.lab if lab is None else LabFolder.existing(Path(lab))
        if folder is None:
            raise LabError(
                'A frame remembers nothing: name the folder, dismiss(…, lab="lab").'
            )
        one = self._one(incident)
        return remarking.dismiss(
            folder, one, self.looked.keys, why=why, by=by, days=days
        )

    def _one(self, incident: Incident | str) -> Incident:
        wanted = incident if isinstance(incident, str) else incident.id
        for one in (*self.found, *(quiet for quiet, _ in self.dismissed)):
            if one.id == wanted:
                return one
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
        return [*self._quiet(), self.stated]

    def _quiet(self) -> list[str]:
        if not self.dismissed:
            return []
        n = len(self.dismissed)
        who = sorted({said.by for _, said in self.dismissed})
        whose = ", ".join(who[:3]) + (" and others" if len(who) > 3 else "")
        return [f"{n} dismissed by {whose}: see `.dismissed`, or `odd --all`."]


def _changed(one: Incident) -> list[str]:
    return [f"At that time: {'; '.join(one.changed)}."] if one.changed else []


def _text(value: object) -> str | None:
    return None if value is None else str(value)

"""`[[budget]]` in lectr.toml: what may be spent, by whom, until when."""

import math
import zoneinfo
from collections.abc import Mapping, Sequence

import msgspec

PERS = ("day", "week", "month", "run", "session")
ACTIONS = ("warn", "stop")
WHOM = ("org", "key", "feature", "user", "session")
"""What a budget can be for, in the order in which it is told."""

ALL = "all"
EACH = "*"
MOST_USD = 9_000_000  # sums of 1e-12 USD stay within 64 bits
_FORMS = (
    'write "all", one of "org", "key", "feature", "user" and "session" for each of them, '
    'or a table such as { org = "my-team", user = "*" }'
)


class BudgetSettings(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"whom": "for"},
):
    """US dollars that may be spent in a day, a week (from Monday), a month, or a run: a
    session of an agent, however long.

    `for` says by whom: "all" together; "user" is each user for itself, and so are
    "org", "key", "feature" and "session"; { feature = "chat" } is that one alone, and
    { org = "my-team", user = "*" } each user of it. A key is named by its id. What names
    no user is in no user's budget; what names no feature is `untagged`.
    `action` is "warn", which says so, or "stop", which refuses what could cost more.
    Days begin at midnight in `tz`. `name` is what it is called wherever it is shown.
    """

    usd: float
    per: str
    whom: str | dict[str, str] = ALL
    action: str = "warn"
    tz: str = "UTC"
    name: str | None = None

    @property
    def of(self) -> dict[str, str]:
        """Whom it is for, by column: a name, or `*` for each of them.

        >>> BudgetSettings(usd=5, per="day", whom="user").of
        {'user': '*'}
        >>> BudgetSettings(usd=5, per="run", whom={"org": "acme"}).of
        {'org': 'acme', 'session': '*'}
        """
        named = self.whom
        if isinstance(named, str):
            named = {} if named == ALL else {named: EACH}
        if self.by_run:
            named = {"session": EACH} | named
        return {column: named[column] for column in WHOM if column in named}

    @property
    def by_run(self) -> bool:
        """It ends with a session, not with a day."""
        return self.per in ("run", "session")

    @property
    def each(self) -> bool:
        """It is one budget for each of several."""
        return EACH in self.of.values()

    @property
    def title(self) -> str:
        """What it is called.

        >>> BudgetSettings(usd=20, per="week", whom={"org": "acme"}).title
        'org acme, a week, warn'
        """
        return self.name or f"{self.told_whom}, {self.told_per}, {self.action}"

    @property
    def told_whom(self) -> str:
        """Whom it is for, in words.

        >>> BudgetSettings(usd=5, per="day", whom={"org": "a", "user": "*"}).told_whom
        'each user of org a'
        """
        of = self.of
        each = [column for column, name in of.items() if name == EACH]
        named = [f"{column} {name}" for column, name in of.items() if name != EACH]
        parts = [f"each {' and '.join(each)}"] * bool(each) + named
        return " of ".join(parts) if parts else "all requests"

    @property
    def told_per(self) -> str:
        """How long it is for, in words."""
        return "a run" if self.by_run else f"a {self.per}"

    def fault(self) -> tuple[str, str] | None:
        """A field that cannot be followed, and what to write.

        >>> BudgetSettings(usd=0, per="day").fault()
        ('usd', 'write US dollars above 0, 9,000,000 at most')
        """
        if not (math.isfinite(self.usd) and 0 < self.usd <= MOST_USD):
            return "usd", f"write US dollars above 0, {MOST_USD:,} at most"
        if self.per not in PERS:
            return "per", 'write "day", "week", "month" or "run"'
        if self.action not in ACTIONS:
            return "action", 'write "warn" or "stop"'
        named = self.whom
        if isinstance(named, str) and named not in (ALL, *WHOM):
            return "for", f"there is no {named!r}: {_FORMS}"
        if not isinstance(named, str) and (
            not named
            or any(column not in WHOM for column in named)
            or any(not name.strip() for name in named.values())
        ):
            return "for", _FORMS
        try:
            zoneinfo.ZoneInfo(self.tz)
        except (OSError, ValueError, zoneinfo.ZoneInfoNotFoundError):
            return "tz", "name a time zone, such as Europe/Berlin"
        if self.name is not None and not self.name.strip():
            return "name", "name it, or leave it out"
        return None


def first_fault(budgets: Sequence[BudgetSettings]) -> tuple[int, str, str] | None:
    """The first budget that cannot be followed: its place, the field, what to write.

    >>> twice = [BudgetSettings(usd=5, per="day")] * 2
    >>> first_fault(twice)[:2]
    (1, 'name')
    """
    titles: set[str] = set()
    for place, budget in enumerate(budgets):
        fault = budget.fault()
        if fault is not None:
            return place, *fault
        if budget.title in titles:
            return (
                place,
                "name",
                f"{budget.title!r} is there twice: give one another name",
            )
        titles.add(budget.title)
    return None


def of_daily_spend(caps: Mapping[str, float | None]) -> tuple[BudgetSettings, ...]:
    """The budgets that `[orgs.<name>] daily_spend_usd` stands for: they warn.

    >>> of_daily_spend({"acme": 50.0, "others": None})[0].title
    'daily_spend_usd of acme'
    """
    return tuple(
        BudgetSettings(
            usd=usd,
            per="day",
            whom={"org": org},
            name=f"daily_spend_usd of {org}",
        )
        for org, usd in caps.items()
        if usd is not None
    )

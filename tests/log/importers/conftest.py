"""What an importer's reader gives, as the log would have it."""

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from lectr_lab.log.importers.events import event_of
from lectr_lab.log.importers.fields import Imported, Left, Rows, Said
from lectr_lab.log.importers.report import Tally


class Taken(NamedTuple):
    """The events of rows, their ids at the source, and what else was said."""

    events: list[dict[str, Any]]
    ids: list[str]
    left: Counter[str]
    said: Counter[str]
    unreadable: Counter[str]


@pytest.fixture
def take() -> Callable[[Rows], Taken]:
    """`take(rows)`: everything that a reader gives, each row as its event."""

    def taken(rows: Rows) -> Taken:
        tally, events, ids = Tally(), [], []
        for item in rows.rows:
            if isinstance(item, Left):
                tally.left[item.reason] += item.n
            elif isinstance(item, Said):
                tally.said[item.what] += item.n
            else:
                events.append(event(item, tally))
                ids.append(item.source_id)
        return Taken(events, ids, tally.left, tally.said, tally.unreadable)

    return taken


def event(item: Imported, tally: Tally) -> dict[str, Any]:
    facts = {name: value for name, value in item.facts.items() if value is not None}
    return event_of(
        item._replace(facts=facts),
        source="x",
        org="acme",
        hashed=lambda text: f"hashed-{len(text)}",
        tally=tally,
    )

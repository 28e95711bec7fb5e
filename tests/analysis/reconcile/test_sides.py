"""The two sides of a comparison with an export."""

from datetime import UTC, date, datetime

import pytest

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.reconcile.exports.read import Export
from lectr_lab.analysis.reconcile.exports.shape import Dimensions, Used
from lectr_lab.analysis.reconcile.sides import Key, alike, compared, counted
from lectr_lab.log.schema import frame

DAY = date(2026, 11, 2)
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
MODEL = "gpt-4o-mini-2024-07-18"


def used(requests=2, model=MODEL, dimensions=None):
    dimensions = dimensions or Dimensions()
    return Used(DAY, model, requests, {"input_tokens": 1000}, dimensions)


def sides(events, export):
    log = priced(frame(events).lazy())
    return compared(counted(log, export).collect(), export)


@pytest.fixture
def two(event):
    """Two calls of one model."""
    return [event(started_at=NOON) for _ in range(2)]


@pytest.mark.parametrize(
    "theirs, ours",
    [
        ("gpt 4o 1120", "gpt-4o-2024-11-20"),
        ("gpt 4o mini", "gpt-4o-mini-2024-07-18"),
        ("gemini 2.5 flash", "gemini-2.5-flash"),
        ("openai/gpt-4o-mini-2024-07-18", "gpt-4o-mini-2024-07-18"),
        ("GPT-4o-Mini-2024-07-18", "gpt-4o-mini-2024-07-18"),
    ],
)
def test_another_name_of_a_model_is_the_log_s(event, theirs, ours):
    """Where one alone is like it: an abbreviation, another order, a day or none."""
    names = ["gpt-4o-2024-08-06", "gpt-4o-2024-11-20", "gpt-4o-mini-2024-07-18"]
    names += ["gemini-2.5-flash", "gemini-2.5-flash-lite"]
    log = [event(started_at=NOON, model_actual=name) for name in names]

    found = sides(log, Export("openai", (used(1, theirs),)))

    assert [*found.theirs] == [Key(DAY, ours)]
    assert Key(DAY, ours) in found.ours and len(found.ours) == len(names)


def test_an_export_of_some_operations_is_compared_with_those(event, two):
    """Embeddings of the log are no chats that the provider forgot."""
    embedding = event(started_at=NOON, operation="embeddings", output_tokens=None)
    chats = Export("openai", (used(),), operations=frozenset({"chat"}))
    others = Export("openai", (used(1),), operations=frozenset({"embeddings"}))

    for export, n in ((chats, 2), (others, 1)):
        [ours] = sides([*two, embedding], export).ours.values()
        assert ours.requests == n


def test_a_program_s_report_is_compared_with_its_calls(event, two):
    """And with those of which nobody knows whose they are."""
    agent = event(started_at=NOON, client="claude-code")
    other = event(started_at=NOON, client="openai-python")
    export = Export("openai", (used(),), clients=frozenset({"claude-code"}))

    [ours] = sides([*two, agent, other], export).ours.values()

    assert ours.requests == 3


def test_what_is_told_of_a_model_is_told_on_both_sides(event, two):
    """And only that: a tier that the export does not name is not told in the log."""
    long = event(started_at=NOON, input_tokens=300_000, service_tier="flex")
    windows = Export("openai", (used(dimensions=Dimensions(long=True)),))

    found = sides([*two, long], windows)

    whole, short = Key(DAY, MODEL, Dimensions(long=True)), Dimensions(long=False)
    assert found.ours[whole].requests == 1
    assert found.ours[Key(DAY, MODEL, short)].requests == 2
    assert [*found.theirs] == [whole]


def test_two_that_are_alike_are_neither():
    """A name that could be either's stays as it is."""
    assert alike("gpt 4o", {"gpt-4o-2024-08-06", "gpt-4o-2024-11-20"}) == "gpt 4o"


def test_days_are_those_of_the_export(event):
    """An evening of California is the next day in UTC."""
    late = event(started_at=datetime(2026, 11, 3, 5, tzinfo=UTC))

    there = sides([late], Export("openai", (used(),), tz="America/Los_Angeles"))
    here = sides([late], Export("openai", (used(),)))

    assert [key.day for key in there.ours] == [DAY]
    assert not here.ours

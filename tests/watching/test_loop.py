"""Looking again and again, and telling once."""

from typing import NamedTuple

import polars as pl
import pytest
from msgspec.structs import replace
from odd_lab import odd_lab

import lectr_lab as lectr
from lectr_lab.config.budget_settings import BudgetSettings
from lectr_lab.config.settings import Settings
from lectr_lab.config.watch_settings import WatchSettings
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.schema import file_metadata
from lectr_lab.watching import loop
from lectr_lab.watching.sinks import Sink
from lectr_lab.watching.told import told
from lectr_lab.watching.webhook import NotTold, Stopping

SETTINGS = Settings(watch=WatchSettings())


class Ear(NamedTuple):
    """A sink, and the words that it heard."""

    sink: Sink
    heard: list


def ear(name="x", error=None) -> Ear:
    heard = []

    def send(word):
        if error:
            raise error
        heard.append(word)

    return Ear(Sink(name, send), heard)


@pytest.fixture
def lab(tmp_path):
    return LabFolder(odd_lab(tmp_path / "lab"))


def quiet_day(lab):
    """A day more, of the usual kind: the one before it."""
    days = sorted(lab.days())
    rows = pl.read_parquet(lab.day(days[-2]) / "a.parquet", hive_partitioning=False)
    day = days[-1].replace(day=days[-1].day + 1)
    lab.day(day).mkdir()
    later = rows.with_columns(
        pl.col("started_at") + pl.duration(days=(day - days[-2]).days)
    )
    later.write_parquet(lab.day(day) / "a.parquet", metadata=file_metadata())


def test_each_incident_is_told_once_and_its_end_once(lab):
    """Across restarts, to each sink; the end in a word of its own."""
    one, other = ear("one"), ear("other")

    for _ in range(2):
        assert loop.look(lab, SETTINGS, [one.sink]) == []
    began = [word.what for word in one.heard]
    assert began and set(began) == {"began"}
    open_now = [o.id for o in told(lab).open]
    assert open_now

    quiet_day(lab)
    for _ in range(2):
        loop.look(lab, SETTINGS, [one.sink, other.sink])

    ended = [word for word in one.heard if word.what == "ended"]
    assert [word.facts["id"] for word in ended] == open_now
    assert ended[0].sentence.startswith("Over: ")
    assert len({word.key for word in one.heard}) == len(one.heard)
    assert {word.what for word in other.heard} == {"began"}  # over when it was told


def test_what_is_dismissed_is_not_told(lab):
    """Nor what comes after it of that kind."""
    found = lectr.odd(lab.root)
    for incident in found:
        found.dismiss(incident, why="a load test")
    one = ear()

    loop.look(lab, SETTINGS, [one.sink])

    assert one.heard == []


def test_an_incident_under_another_id_is_the_same_while_it_was_open(lab, monkeypatch):
    """More was learnt of it: it is not told again. One that is found no more is over."""
    one, real = ear(), loop.odd
    loop.look(lab, SETTINGS, [one.sink])
    n = len(one.heard)

    def renamed(*given, **options):
        found = real(*given, **options)
        found.found = tuple(replace(i, id=f"new-{i.id}") for i in found.found)
        return found

    def none(*given, **options):
        found = real(*given, **options)
        found.found = ()
        return found

    monkeypatch.setattr(loop, "odd", renamed)
    loop.look(lab, SETTINGS, [one.sink])
    again = [w for w in one.heard[n:] if w.facts["end"] is None]
    assert again == []
    monkeypatch.setattr(loop, "odd", none)
    loop.look(lab, SETTINGS, [one.sink])

    assert "no longer odd" in one.heard[-1].sentence


def test_whoever_was_not_told_that_it_began_is_not_told_that_it_is_over(
    lab, monkeypatch
):
    """And whoever was is told, at a later look where this one failed, by its own watcher."""
    told_of, new, deaf = ear("told"), ear("new"), ear("deaf", NotTold("nobody"))
    later = ear("later")
    loop.look(lab, SETTINGS, [told_of.sink, later.sink, deaf.sink])
    n, m, real = len(told_of.heard), len(later.heard), loop.odd

    def none(*given, **options):
        found = real(*given, **options)
        found.found = ()
        return found

    monkeypatch.setattr(loop, "odd", none)
    busy = Sink("later", ear(error=NotTold("busy")).sink.send)
    for _ in range(2):
        faults = loop.look(lab, SETTINGS, [told_of.sink, new.sink, busy])
        assert faults == ["busy"]
    deaf_heard = ear("deaf")
    for _ in range(2):
        loop.look(lab, SETTINGS, [later.sink, deaf_heard.sink])

    assert new.heard == deaf_heard.heard == []
    for one, before in ((told_of, n), (later, m)):
        [over] = one.heard[before:]
        assert over.what == "ended" and "no longer odd" in over.sentence
    assert told(lab).open == ()


def test_one_watchers_incident_is_not_over_for_it_is_too_small_for_another(lab):
    """Each budget has its own; the other's sinks hear nothing of it."""
    strict = replace(SETTINGS, watch=WatchSettings(budget=1e-12))
    one, other = ear("one"), ear("other")
    loop.look(lab, SETTINGS, [one.sink])
    n = len(one.heard)
    assert told(lab).open

    for _ in range(2):
        loop.look(lab, strict, [other.sink])
        loop.look(lab, SETTINGS, [one.sink])

    assert len(one.heard) == n
    assert not [word for word in other.heard if word.what == "ended"]
    assert 0.3 in {o.budget for o in told(lab).open}


def test_what_cannot_be_told_is_tried_at_the_next_look(lab):
    """And said; a stop puts it back."""
    deaf, stopped = ear(error=NotTold("nobody")), ear(error=Stopping())
    assert loop.look(lab, SETTINGS, [deaf.sink]) == ["nobody"]
    with pytest.raises(Stopping):
        loop.look(lab, SETTINGS, [stopped.sink])
    one = ear()

    loop.look(lab, SETTINGS, [one.sink])

    assert one.heard


def test_a_budget_is_told_when_it_is_reached(lab, monkeypatch):
    """Once."""
    state = loop.states_of(lab.root, [BudgetSettings(usd=5, per="day")])[0]
    monkeypatch.setattr(
        loop, "states_of", lambda *_: [replace(state, state="reached", spent_usd=6.0)]
    )
    settings = replace(SETTINGS, budget=(BudgetSettings(usd=5, per="day"),))
    one = ear()

    for _ in range(2):
        loop.look(lab, settings, [one.sink])

    assert len([word for word in one.heard if word.what == "budget"]) == 1


def test_it_goes_on_after_a_fault_and_says_it_once(tmp_path):
    """Until it is to stop."""
    said, waits = [], iter([False, False, True])
    empty = LabFolder(tmp_path / "none")

    loop.watch(empty, SETTINGS, [], lambda _: next(waits), said.append)

    assert len(said) == 1 and "It tries again" in said[0]


def test_it_says_how_it_stands(lab):
    """What it does, and what was told before and goes on."""
    loop.look(lab, SETTINGS, [ear().sink])

    said = loop.how_it_stands(lab, SETTINGS)

    assert "Stated: 0.3" in said and "told before" in said

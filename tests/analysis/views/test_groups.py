"""By what views group."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.views.groups import grouped, key_names
from lectr_lab.analysis.views.health import errors, latency
from lectr_lab.analysis.views.spend import spend, tokens
from lectr_lab.analysis.views.summary import summary
from lectr_lab.core.errors import LabError

N = [pl.len().alias("n")]


def test_two_orgs_are_never_added_up(log_of, event):
    """The `chat` of one org and of another are two rows."""
    log = log_of([event(org="a", feature="chat"), event(org="b", feature="chat")])

    found = grouped(log, N, by="feature").collect()

    assert found.columns == ["org", "feature", "n"]
    assert sorted(found.rows()) == [("a", "chat", 1), ("b", "chat", 1)]


def test_one_org_is_seen_alone(log_of, event):
    """Where an org is given, there is no other and no column for it."""
    log = log_of([event(org="a"), event(org="b")])

    found = grouped(log, N, by=["feature", "model"], org="a").collect()

    assert found.rows() == [("untagged", "gpt-4o-mini-2024-07-18", 1)]
    assert key_names(["feature", "model"], org="a") == ["feature", "model"]


def test_nothing_named_gives_one_row_an_org(log_of, event):
    """`by=None` adds up all that an org did."""
    log = log_of([event(org="a"), event(org="a", feature="x"), event(org="b")])

    assert sorted(grouped(log, N).collect().rows()) == [("a", 2), ("b", 1)]
    assert grouped(log, N, org="a").collect().rows() == [(2,)]


@pytest.mark.parametrize(
    "tz, day", [("UTC", 1), ("Asia/Tokyo", 2), ("America/New_York", 1)]
)
def test_days_begin_where_they_are_asked_to(log_of, event, tz, day):
    """20:00 UTC is the next day in Tokyo."""
    log = log_of([event(started_at=datetime(2026, 11, 1, 20, tzinfo=UTC))])

    [(time, n)] = grouped(log, N, every="1d", tz=tz, org="local").collect().rows()

    assert (time.day, time.hour, n) == (day, 0, 1)


def test_a_day_with_a_clock_change_is_one_day(log_of, event):
    """25 hours on 25 October 2026 in Berlin."""
    start = datetime(2026, 10, 24, 22, 30, tzinfo=UTC)
    log = log_of([event(started_at=start + timedelta(hours=h)) for h in range(25)])

    found = grouped(log, N, every="1d", tz="Europe/Berlin", org="local").collect()

    assert found["n"].to_list() == [25]


def test_an_unknown_column_names_its_neighbours(log_of):
    """The message says what is near."""
    with pytest.raises(LabError, match=r"'featur'.*near it: feature"):
        grouped(log_of([]), N, by="featur")


COLUMNS = [
    *("client", "client_version", "session", "agent", "parent_agent", "turn_kind"),
    *("user", "trace_id", "credential", "task", "provider", "rule", "error_type"),
]


@pytest.mark.parametrize("name", COLUMNS)
def test_what_is_missing_is_a_group_with_a_name(log_of, event, name):
    """Null and empty are one group, beside those that have a value."""
    log = log_of([event(**{name: value}) for value in ("x", None, "", "x", "y")])

    found = grouped(log, N, by=name, org="local").collect()

    expected = [("no " + name.replace("_", " "), 2), ("x", 2), ("y", 1)]
    assert sorted(found.rows()) == sorted(expected)


@pytest.mark.parametrize("name", ["session", "agent", "client", "user", "operation"])
@pytest.mark.parametrize("view", [spend, latency, errors, tokens, summary])
def test_every_view_groups_by_any_column(log_of, event, view, name):
    """By several, too; the requests add up to the log's."""
    log = priced(log_of(event(**{name: v}) for v in ("chat", "messages", "chat")))

    alone, both = view(log, name).collect(), view(log, [name, "feature"]).collect()

    assert alone.columns[:2] == ["org", name]
    assert dict(alone.select(name, "requests").rows()) == {"chat": 2, "messages": 1}
    assert both["requests"].sum() == 3


def test_a_column_that_was_joined_is_grouped_by(log_of, event):
    """Such as the team that owns a feature."""
    log = log_of([event(), event()]).with_columns(team=pl.Series(["blue", None]))

    found = grouped(log, N, by="team", org="local").collect()

    assert sorted(found.rows()) == [("blue", 1), ("no team", 1)]


def test_names_can_be_left_out(log_of, event):
    """For those who go on with what is missing."""
    log = log_of([event(provider=None)])

    found = grouped(log, N, by="provider", org="local", missing=False).collect()

    assert found.rows() == [(None, 1)]

"""The book: each law is seen to break."""

import pytest

from soak.ledger import Ledger, Life, Row
from soak.replies import KINDS, tokens_of

KILLED_S = 100.0


@pytest.fixture
def life():
    """A proxy that ended in peace."""
    return Life("steady", "main", 1, 1, 0.0, ended=True)


@pytest.fixture
def killed():
    """One that did not."""
    return Life("killed", "main", 2, 2, 0.0, killed_s=KILLED_S, ended=True)


def answered(ledger, life, kind="json", at_s=1.0):
    """A request that was answered, and its row."""
    one = ledger.ask(kind, life, 0.0)
    one.ended_s, one.reached = at_s, 1
    return row_of(one)


def row_of(one):
    """As the log would have it."""
    kind = KINDS[one.kind]
    counted = (*tokens_of(one.n), "provider") if kind.tokens else (None, None, "absent")
    key = one.n.to_bytes(16)
    return Row(f"soak-{one.n}", key, kind.status, kind.outcome, *counted, False)


def test_what_is_as_it_was_breaks_nothing(life):
    """Rows of every kind, in any order; and none of a wrong key."""
    ledger = Ledger()
    rows = [answered(ledger, life, kind) for kind in KINDS if kind != "wrong key"]
    answered(ledger, life, "wrong key")

    assert ledger.compare("main", reversed(rows)) == (len(rows), [], 0, [], [], [], 0)
    assert not ledger.unserved()
    assert not ledger.asked_twice()


def test_tokens_may_be_left_out_where_that_is_said(life):
    """For what was too much to read; not without a word, and never others."""
    ledger = Ledger()
    row = answered(ledger, life)._replace(input_tokens=None, output_tokens=None)
    cut = row._replace(facts_truncated=True)

    assert ledger.compare("main", [cut])[-2:] == ([], 1)
    assert ledger.compare("main", [row]).wrong
    assert ledger.compare("main", [cut._replace(input_tokens=0)]).wrong


def test_a_row_that_is_missing_is_lost(life):
    """Of a request that was answered, and of one that its client left."""
    ledger = Ledger()
    answered(ledger, life)
    ledger.ask("stream", life, 0.0, left=True).reached = 1
    ledger.ask("stream", life, 0.0, left=True)  # nobody knows whether it got there

    assert ledger.compare("main", []).lost == ["soak-0", "soak-1"]


def test_a_kill_excuses_what_was_just_answered(killed):
    """A second before it, a row is owed; after that it may be there or not."""
    ledger = Ledger()
    early = answered(ledger, killed, at_s=KILLED_S - 1.5)
    late = answered(ledger, killed, at_s=KILLED_S - 0.5)

    assert ledger.compare("main", [])[:3] == (1, ["soak-0"], 1)
    assert ledger.compare("main", [early, late])[:3] == (1, [], 0)


def test_doubles_are_seen_by_feature_and_by_id(life):
    """A row that is there twice, and an id that two rows have."""
    ledger = Ledger()
    one, other = answered(ledger, life), answered(ledger, life)
    alike = other._replace(event_id=one.event_id)

    assert ledger.compare("main", [one, one, other]).doubled[0] == "soak-0"
    assert ledger.compare("main", [one, alike]).doubled == [one.event_id.hex()]


def test_a_row_that_nobody_asked_for_is_seen(life):
    """Of no request at all, of a wrong key, and of another lab."""
    ledger = Ledger()
    elsewhere = answered(ledger, Life("other", "small", 3, 3, 0.0))
    strange = answered(ledger, life, "wrong key")
    nameless = elsewhere._replace(feature=None)

    found = ledger.compare("main", [elsewhere, strange, nameless])

    assert found.unasked == ["soak-0", "soak-1", "None"]


@pytest.mark.parametrize(
    "change", [{"status": 500}, {"outcome": "timeout"}, {"output_tokens": 7_000}]
)
def test_a_row_that_says_something_else_is_seen(life, change):
    """Status, outcome, tokens."""
    ledger = Ledger()
    row = answered(ledger, life)

    assert ledger.compare("main", [row._replace(**change)]).wrong


def test_tokens_of_another_are_seen_where_the_client_left(life):
    """Whatever else its row may say."""
    ledger = Ledger()
    one = ledger.ask("stream", life, 0.0, left=True)
    row = row_of(one)._replace(outcome="client_disconnect")
    counted = row._replace(token_source="tokenizer", output_tokens=3)

    assert not ledger.compare("main", [row]).wrong
    assert not ledger.compare("main", [counted]).wrong
    assert ledger.compare("main", [row._replace(input_tokens=9_999)]).wrong


def test_whoever_stays_must_be_served(life, killed):
    """But for what a kill cut off; and those that leave wait for nothing."""
    ledger = Ledger()
    one, cut, before = (ledger.ask("json", x, 0.0) for x in (life, killed, killed))
    one.ended_s, one.fault = 1.0, "other bytes"
    cut.ended_s, cut.fault = KILLED_S + 1, "it broke off"
    before.ended_s, before.fault = KILLED_S - 1, "it broke off"
    ledger.ask("json", life, 0.0)
    ledger.ask("json", life, 0.0, left=True)

    names = [line.split()[0] for line in ledger.unserved()]

    assert names == ["soak-0", "soak-2", "soak-3"]


def test_a_request_sent_twice_is_seen(life):
    """Somebody would pay twice."""
    ledger = Ledger()
    answered(ledger, life)
    ledger.reached(0)
    ledger.reached(99)  # not ours

    assert ledger.asked_twice() == ["soak-0"]

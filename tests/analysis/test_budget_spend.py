"""What the log says of a budget's window is added where the sums lack it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lectr_lab.analysis.budget_spend import add_what_is_lacking, lacking, spent
from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.budgets.changes import Change
from lectr_lab.budgets.meters import Meter, Whose
from lectr_lab.budgets.recovery_order import RecoveryOrder
from lectr_lab.budgets.states import budget_states
from lectr_lab.budgets.store import Store
from lectr_lab.config.budget_settings import BudgetSettings
from lectr_lab.core.event import Event
from lectr_lab.core.identity.keyed_hash import KeyedHash
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.hash_secret import hash_secret
from lectr_lab.log.journal import JournalWriter
from lectr_lab.log.schema import frame

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
PUSD = 450 * 10**6


def event(**changes: Any) -> Event:
    """A call that costs 0.00045 dollars."""
    usual: dict[str, Any] = {
        "event_id": bytes(16),
        "started_at": NOON,
        "org": "acme",
        "path": "/v1/chat/completions",
        "operation": "chat",
        "provider": "openai",
        "outcome": "ok",
        "total_ms": 1.0,
        "model_actual": "gpt-4o-mini",
        "input_tokens": 1000,
        "output_tokens": 500,
    }
    return Event(**usual | changes)


def rows(*events: Event) -> list[dict[str, Any]]:
    begins = NOON.replace(hour=0)
    log = priced(frame(list(events)).lazy())
    found = spent(log, begins, begins + timedelta(days=1)).collect()
    return found.sort("org", "user", nulls_last=True).to_dicts()


def test_the_log_says_who_spent_what():
    """Not what was refused, imported or paid for by a plan, nor another day's."""
    found = rows(
        event(),
        event(user="jane"),
        event(user="jane"),
        event(model_actual="nobody-knows-this"),
        event(input_tokens=None, output_tokens=None, outcome="provider_error"),
        event(outcome="refused"),
        event(source="litellm"),
        event(credential="plan"),
        event(started_at=NOON + timedelta(days=1)),
        event(started_at=NOON - timedelta(hours=12, microseconds=1)),
    )

    told = [(r["user"], r["pusd"], r["requests"], r["unpriced"]) for r in found]
    assert told == [("jane", 2 * PUSD, 2, 0), (None, PUSD, 3, 1)]


def test_only_what_a_sum_lacks_is_added():
    """One that has more, such as of requests whose end nobody saw, keeps it."""
    meter = Meter(BudgetSettings(usd=1, per="day", whom="user"), KeyedHash("a"))
    at_s = NOON.timestamp()
    keys = {
        user: meter.sum_of(Whose("acme", user=user), at_s).key.hex()
        for user in ("jane", "joe", "jim")
    }
    log = rows(*[event(user=user) for user in keys], event())
    before = {keys["joe"]: PUSD + 1, keys["jim"]: PUSD - 1}

    changes = lacking(log, meter, at_s, before)

    found = {c.sum.key.hex(): (c.spent, c.requests) for c in changes}
    assert found == {
        keys["jane"]: (PUSD, 1),
        keys["joe"]: (0, 0),
        keys["jim"]: (1, 0),
    }


@pytest.mark.parametrize("already", [0, PUSD])
def test_what_came_meanwhile_is_counted_beside(tmp_path, already):
    """The order says what the sums had; what they have got since then stays."""
    lab = LabFolder.create(tmp_path / "lab")
    now = datetime.now(UTC)
    with_two = [event(started_at=now - timedelta(milliseconds=n)) for n in (1, 2)]
    writer = JournalWriter(lab)
    writer.append(with_two)
    writer.close()
    budget = BudgetSettings(usd=1, per="month")
    meter = Meter(budget, KeyedHash(hash_secret(lab, {})))
    at_s = now.timestamp()
    found = meter.sum_of(Whose("acme"), at_s)
    store = Store(lab, [meter])
    store.settle([Change(found, already)])
    store.pay()
    before = {meter.id: {found.key.hex(): already}} if already else {}
    order = RecoveryOrder(str(lab.root), (budget,), at_s, before)
    store.settle([Change(found, 7)])
    store.pay()

    add_what_is_lacking(order)
    add_what_is_lacking(order)  # as one does that outlived the proxy that began it

    [state] = budget_states(lab, [meter])
    assert store.spent(meter) == {found.key: 2 * PUSD + 7}
    assert state.read_log
    store.close()

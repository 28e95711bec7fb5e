"""What is said of budgets: dollars, whose, and when it begins anew."""

import pytest

from lectr_lab.budgets.meters import PUSD_PER_USD, Meter, Whose
from lectr_lab.budgets.store import NEAR, REACHED, Reached, Told
from lectr_lab.config.budget_settings import BudgetSettings
from lectr_lab.core.identity.keyed_hash import KeyedHash
from lectr_lab.proxy.gates import budget_words as words

WHOSE = Whose("acme", "k", "chat", "jane@example.org", "s")


def sum_of(**more):
    usual = {"usd": 5, "per": "day", "action": "stop"}
    meter = Meter(BudgetSettings(**usual | more), KeyedHash("a"))
    return meter.sum_of(WHOSE, 43_200.0)


def test_a_client_is_told_what_is_spent_and_when_it_begins_anew():
    """In one sentence after the other."""
    found = sum_of(whom={"org": "acme"}, tz="Europe/Berlin")
    pusd = [round(usd * PUSD_PER_USD) for usd in (4.2, 0.5, 0.96)]

    told = words.refusal(Reached(found, *pusd, first=True))

    assert told.message == (
        "The budget of org acme has no room for this request: $4.20 of $5.00 a day "
        "spent, $0.50 held for requests under way; it may cost up to $0.96. It begins "
        "anew on 1970-01-02 00:00 Europe/Berlin. Raise it in lectr.toml, or lower "
        "max_tokens."
    )


@pytest.mark.parametrize("whom", ["user", "session", "key"])
def test_of_each_nobody_is_named(whom):
    """Neither to the client nor in the terminal."""
    found = sum_of(whom=whom)
    said = [
        words.refusal(Reached(found, 1, 0, 1, first=True)).message,
        words.refusing(Reached(found, 1, 0, 1, first=True)),
        words.told(Told(found, REACHED, 1)),
    ]

    assert all(f"each {whom}" in line and "jane" not in line for line in said)


def test_a_run_begins_anew_with_the_next():
    """It has no hour."""
    told = words.refusal(Reached(sum_of(per="run"), 1, 0, 1, first=False))

    assert "It begins anew with the next run." in told.message


def test_what_warns_says_that_nothing_is_refused():
    """Near its end, and at it."""
    found = sum_of(action="warn", name="team\x1b[31m")
    near, reached = (words.told(Told(found, w, 45 * 10**11)) for w in (NEAR, REACHED))

    assert "is nearly reached: $4.50 of $5.00 a day spent" in near
    assert "is reached: $4.50" in reached
    assert "Nothing is refused" in near
    assert "\x1b" not in near


def test_codex_is_told_in_a_header():
    """Of a 429's body it shows nothing."""
    reached = Reached(sum_of(name="T\N{SNOWMAN}m"), 1, 0, 1, first=False)
    plain, told = words.refusal(reached), words.refusal(reached, "codex")

    assert (plain.type, told.type) == ("rate_limit_error", "usage_limit_reached")
    assert (told.status, told.code) == (429, "budget_exceeded")
    headers = dict(told.head())
    assert headers[b"x-codex-promo-message"].startswith(b"The budget of T?m has no")
    assert headers[b"x-should-retry"] == b"false"

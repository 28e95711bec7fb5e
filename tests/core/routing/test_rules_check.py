"""What may not be meant is said, once a fault."""

from datetime import date
from decimal import Decimal

import pytest

from lectr_lab.core.routing.rules import Conditions, Rule, RuleTarget
from lectr_lab.core.routing.rules_check import check_rules

MINI = RuleTarget(model="gpt-4o-mini")


def rule(
    then: RuleTarget = MINI, name: str = "r", enabled: bool = True, **when
) -> Rule:
    return Rule(
        name=name, priority=1, enabled=enabled, when=Conditions(**when), then=then
    )


def texts(*rules: Rule, keyed=(), **more) -> list[str]:
    return [warned.text for warned in check_rules(rules, keyed, **more)]


def test_nothing_is_said_of_a_plain_rule():
    """Or nobody would read the rest."""
    assert texts(rule(task="extraction", model="gpt-4o")) == []


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (rule(task="reasoning"), "it changes the model of reasoning, where"),
        (rule(feature="faq"), "it changes the model of reasoning too"),
        (rule(task="clasification"), "no valid task is 'clasification'"),
        (rule(), "it matches every request"),
        (rule(RuleTarget(model="gtp-4o"), task="extraction"), "no provider is known"),
        (
            rule(RuleTarget(model="claude-x"), task="extraction", model="gpt-4*"),
            "claude-x is anthropic's by its name, and openai is asked: never applied",
        ),
        (
            rule(RuleTarget(model="claude-x", provider="openai"), task="extraction"),
            "claude-x is anthropic's by its name, and openai is asked: applied",
        ),
        (
            rule(RuleTarget(provider="groq"), task="extraction"),
            "there is no operator's key for groq",
        ),
    ],
)
def test_what_may_not_be_meant_is_said(one, said):
    """Each in its words."""
    assert any(text.startswith(said) for text in texts(one))


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (date(2026, 11, 24), []),
        (date(2027, 1, 1), ["gpt-4o-mini retires on 2027-01-14 at openai"]),
        (date(2027, 2, 1), ["gpt-4o-mini is retired since 2027-01-14 at openai"]),
        (None, []),
    ],
)
def test_a_target_that_is_going_is_said(day, said):
    """A month before, and after."""
    assert texts(rule(task="extraction", model="gpt-4o"), day=day) == said


def test_a_key_that_is_there_or_not_needed_is_not_asked_for():
    """A provider that stays needs none."""
    there = rule(RuleTarget(provider="groq"), task="extraction")
    stays = rule(
        RuleTarget(model="gpt-4o-mini", provider="openai"), task="x", model="gpt-4o"
    )

    assert texts(there, keyed={"groq"}) == []
    assert not [text for text in texts(stays) if "key" in text]


@pytest.mark.parametrize(
    ("first", "second", "reached"),
    [
        ({}, {"feature": "a"}, False),
        ({"feature": "a"}, {"feature": "a", "model": "gpt-4o"}, False),
        ({"feature": "a*"}, {"feature": "ab"}, False),
        ({"feature": "a*"}, {"feature": "ab*"}, False),
        ({"feature": "ab*"}, {"feature": "a*"}, True),
        ({"feature": "a"}, {"feature": "b"}, True),
        ({"feature": "a"}, {"model": "gpt-4o"}, True),
        ({"feature": "a", "task": "extraction"}, {"feature": "a"}, True),
    ],
)
def test_a_rule_behind_a_wider_one_is_never_reached(first, second, reached):
    """Unless that one is disabled."""
    wide, narrow = rule(name="wide", **first), rule(name="narrow", **second)
    off = rule(name="wide", enabled=False, **first)

    hidden = [t for t in texts(wide, narrow) if "never reached: 'wide'" in t]

    assert bool(hidden) is not reached
    assert not [t for t in texts(off, narrow) if "never reached" in t]


def test_a_dearer_target_is_said_where_both_prices_are_known():
    """Equal, cheaper or unknown ones are not."""
    prices = {"gpt-4o-mini": Decimal(1), "gpt-4o": Decimal(9)}

    def dearer(asked: str, then: str) -> bool:
        one = rule(RuleTarget(model=then), task="extraction", model=asked)
        found = texts(one, price_of=lambda _, model: prices.get(model))
        return any("dearer" in text for text in found)

    assert dearer("gpt-4o-mini", "gpt-4o")
    assert not dearer("gpt-4o", "gpt-4o-mini")
    assert not dearer("gpt-4o", "gpt-5")

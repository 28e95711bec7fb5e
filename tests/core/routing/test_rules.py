"""One pure function decides, whatever the request's words are."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.registry import registry
from lectr_lab.core.routing.rules import (
    Conditions,
    Decision,
    Rule,
    RuleInput,
    RuleTarget,
    decide,
    in_order,
    mismatch,
    obstacle,
)

OPERATIONS = ("chat", "completions", "embeddings", "responses", "messages", "other")
MODELS = ("gpt-4o", "gpt-4o-mini", "claude-x", "llama-3", "gemini-2", "mine")
maybe = {
    "feature": st.sampled_from([None, "faq", "chat", "fa*", "untagged"]),
    "task": st.sampled_from([None, "classification", "odd"]),
    "provider": st.sampled_from([None, *sorted(registry())]),
    "model": st.sampled_from([None, *MODELS, "gpt-*"]),
    "client": st.sampled_from([None, None, "codex", "claude-*"]),
    "user": st.sampled_from([None, None, "u1"]),
}
conditions = st.builds(Conditions, **maybe)
targets = st.builds(
    RuleTarget, model=st.sampled_from([None, *MODELS]), provider=maybe["provider"]
).filter(lambda target: target != RuleTarget())
rules = st.lists(
    st.builds(
        Rule,
        name=st.text(min_size=1),
        priority=st.integers(1, 3),
        enabled=st.booleans(),
        when=conditions,
        then=targets,
    ),
    max_size=6,
)
asked = st.builds(
    RuleInput,
    feature=st.sampled_from([None, "faq", "chat"]) | st.text(),
    task=st.sampled_from([None, "classification"]) | st.text(),
    provider=st.sampled_from([None, *sorted(registry())]) | st.text(),
    model=st.sampled_from([None, *MODELS]) | st.text(),
    operation=st.sampled_from(OPERATIONS) | st.text(),
    client=st.sampled_from([None, "codex", "claude-code"]) | st.text(),
    user=st.sampled_from([None, "u1"]),
)
keyed = st.sets(st.sampled_from(sorted(registry())))


def rule(
    then: RuleTarget | None = None, priority: int = 1, name: str = "r", **when
) -> Rule:
    target = then or RuleTarget(model="gpt-4o-mini")
    return Rule(name=name, priority=priority, when=Conditions(**when), then=target)


FAQ = RuleInput("faq", "classification", "openai", "gpt-4o", "chat")
FAQ = FAQ._replace(client="codex", session="s1", user="u1")


@given(rules, asked, keyed)
def test_the_first_match_decides(some, request, keys):
    """Whatever the words: the first enabled rule that fits, or nothing changes."""
    decision = decide(in_order(some), request, keys)

    fits = [r for r in in_order(some) if mismatch(r, request) is None]
    unchanged = (request.model, request.provider)
    if not fits:
        assert decision == (None, None, *unchanged)
    elif decision.rule is None:
        assert decision.skipped == obstacle(fits[0], request, keys) is not None
        assert decision[2:] == unchanged
    else:
        assert (decision.rule, decision.skipped) == (fits[0].name, None)
        assert decision[2:] != unchanged


@given(rules, asked, keyed)
def test_a_changed_provider_has_a_key(some, request, keys):
    """No decision sends a request to another vendor without the operator's own key."""
    decision = decide(in_order(some), request, keys)

    assert decision.provider == request.provider or decision.provider in keys


@given(rules, asked, keyed)
def test_a_rule_without_a_provider_never_changes_it(some, request, keys):
    """Only what a rule says is done."""
    stay = [msgspec.structs.replace(r, then=RuleTarget(model="gpt-4o")) for r in some]

    assert decide(stay, request, keys).provider == request.provider


@pytest.mark.parametrize(
    ("when", "held_back_by"),
    [
        ({}, None),
        ({"feature": "faq", "task": "classification", "model": "gpt-4o"}, None),
        ({"feature": "FAQ"}, "feature"),
        ({"feature": "f*"}, None),
        ({"feature": "*"}, None),
        ({"feature": "untagged"}, "feature"),
        ({"task": "extraction"}, "task"),
        ({"model": "gpt-4"}, "model"),
        ({"model": "gpt-4*"}, None),
        ({"provider": "azure"}, "provider"),
        ({"client": "codex"}, None),
        ({"client": "claude-*"}, "client"),
        ({"session": "s*", "user": "u1"}, None),
        ({"agent": "*"}, "agent"),
    ],
)
def test_conditions_are_anded_and_exact(when, held_back_by):
    """Case counts; a star at the end stands for any ending."""
    assert mismatch(rule(**when), FAQ) == held_back_by


def test_a_request_without_a_feature_is_untagged():
    """As every view calls it."""
    none = FAQ._replace(feature=None)

    assert mismatch(rule(feature="untagged"), none) is None
    assert mismatch(rule(feature="faq"), none) == "feature"


def test_priority_1_is_first_and_equals_stay_as_written():
    """Stable, so a file reads from top to bottom."""
    some = [rule(priority=2, name="c"), rule(name="a"), rule(name="b")]

    assert [r.name for r in in_order(some)] == ["a", "b", "c"]


def test_a_disabled_rule_is_passed_over():
    """The next one decides."""
    off = msgspec.structs.replace(rule(name="off"), enabled=False)

    assert decide([off, rule(name="on")], FAQ).rule == "on"


@pytest.mark.parametrize(
    ("then", "changes", "skipped"),
    [
        (RuleTarget(model="gpt-4o"), {}, "already_the_target"),
        (RuleTarget(provider="openai"), {}, "already_the_target"),
        (RuleTarget(model="x"), {"model": None}, "no_model"),
        (RuleTarget(model="text-embedding-3-small"), {"operation": "embeddings"}, "embeddings"),
        (RuleTarget(model="claude-x"), {}, "model_of_another_provider"),
        (RuleTarget(provider="anthropic"), {}, "model_of_another_provider"),
        (RuleTarget(model="claude-x", provider="openai"), {}, None),
        (RuleTarget(model="anything"), {}, None),
        (RuleTarget(model="claude-x"), {"provider": "azure"}, None),
        (RuleTarget(model="claude-x", provider="anthropic"), {}, None),
        (RuleTarget(model="llama-3", provider="groq"), {}, "no_operator_key"),
        (RuleTarget(provider="azure"), {}, "no_operator_key"),
        (
            RuleTarget(model="claude-x", provider="anthropic"),
            {"operation": "responses"},
            "not_offered",
        ),
        (
            RuleTarget(model="gpt-4o", provider="openai"),
            {"operation": "messages", "provider": "anthropic", "model": "claude-x"},
            "not_offered",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_left_and_said(then, changes, skipped):
    """One short word each; the request goes on as it was."""
    request = FAQ._replace(**changes)

    decision = decide([rule(then), rule(priority=9)], request, {"anthropic"})

    assert decision.skipped == skipped
    assert (decision.rule is None) == (skipped is not None)


def test_embeddings_are_replaced_where_the_rule_names_them():
    """A rule for a feature's chats must not turn its embeddings into them."""
    request = FAQ._replace(operation="embeddings", model="text-embedding-3-large")
    small = RuleTarget(model="text-embedding-3-small")

    assert decide([rule(small, model="text-embedding-3-*")], request).rule == "r"


def test_what_is_no_accounted_call_is_never_ruled():
    """Files, images, lists of models."""
    other = FAQ._replace(operation="other")

    assert decide([rule()], other) == Decision(None, None, "gpt-4o", "openai")

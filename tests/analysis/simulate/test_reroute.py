"""Rules over a log decide as they do live."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.analysis.simulate.reroute import KEYS, as_rules_see, decided, joined
from lectr_lab.core.routing.rules import (
    Conditions,
    Rule,
    RuleInput,
    RuleTarget,
    decide,
    in_order,
)

PROVIDERS = ["openai", "anthropic", "groq", "gemini", "azure"]
MODELS = ["gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5", "llama-3.1-8b-instant", "own"]
FEATURES = ["faq", "chat", None]
TASKS = ["classification", "reasoning", None]
names = st.sampled_from
maybe_provider = names([None, *PROVIDERS])

rules = st.lists(
    st.builds(
        Rule,
        name=names("abcdef"),
        priority=st.integers(1, 3),
        enabled=st.booleans(),
        when=st.builds(
            Conditions,
            feature=names([None, "faq", "untagged", "c*"]),
            task=names(TASKS),
            provider=maybe_provider,
            model=names([None, "gpt-4o", "gpt-*"]),
            client=names([None, None, "codex", "claude-*"]),
            session=names([None, None, "s1", "s*"]),
        ),
        then=st.builds(
            RuleTarget, model=names([None, *MODELS]), provider=maybe_provider
        ),
    ),
    max_size=4,
).map(in_order)
requests = st.fixed_dictionaries(
    {
        "org": names(["a", "b"]),
        "feature": names(FEATURES),
        "task": names(TASKS),
        "provider": maybe_provider,
        "provider_requested": names([None, None, "openai", "groq"]),
        "model_requested": names([None, *MODELS]),
        "model_sent": names([None, *MODELS]),
        "operation": names(["chat", "embeddings", "messages", "other"]),
        "kind": names(["request", "request", "shadow"]),
        "client": names([None, "codex", "claude-code"]),
        "session": names([None, "s1", "s2", "other"]),
    }
)


@settings(max_examples=30, deadline=None)
@given(
    rules=rules,
    asked=st.lists(requests, min_size=1, max_size=25),
    keyed=st.sets(names(PROVIDERS)),
)
def test_a_log_is_decided_as_its_requests_would_be(rules, asked, keyed, log_of, event):
    """Row by row, the simulated decision is that of `decide`; shadows are left alone."""
    log = log_of(
        [event(event_id=bytes([i]) * 16, **one) for i, one in enumerate(asked)]
    )
    log = as_rules_see(log, rules)
    kinds = decided(log.select(KEYS).unique().collect(), rules, keyed)
    kinds = kinds.with_row_index("move").with_columns(
        pl.when("changed").then("move").alias("move")
    )
    moved = joined(log, kinds, ["to_provider", "to_model"]).collect()
    found = {row["event_id"][0]: row for row in moved.iter_rows(named=True)}
    applied = dict(kinds.select("move", "rule").iter_rows())

    for i, one in enumerate(asked):
        live = decide(
            rules,
            RuleInput(
                one["feature"],
                one["task"],
                one["provider_requested"] or one["provider"],
                one["model_requested"],
                one["operation"],
                client=one["client"],
                session=one["session"],
            ),
            keyed,
        )
        sent = (one["model_sent"] or one["model_requested"], one["provider"])
        stays = (
            one["kind"] == "shadow"
            or live.model is None
            or (live.model, live.provider) == sent
        )
        assert stays == (i not in found)
        if not stays:
            told = (
                applied[found[i]["move"]],
                found[i]["to_model"],
                found[i]["to_provider"],
            )
            assert told == (live.rule, live.model, live.provider)


def test_names_that_no_rule_asks_for_make_no_kinds(log_of, event):
    """A thousand sessions are one kind where rules look at features."""
    log = log_of([event(session=f"s{i}", user=f"u{i}") for i in range(100)])
    of_user = Rule(
        name="r", priority=1, when=Conditions(user="u7"), then=RuleTarget(model="own")
    )

    assert as_rules_see(log, []).select(KEYS).unique().collect().height == 1
    assert as_rules_see(log, [of_user]).select(KEYS).unique().collect().height == 2


def test_why_a_rule_was_not_applied_is_kept(log_of, event):
    """A provider without the operator's key: the request stays, and it is said."""
    there = Rule(name="r", priority=1, then=RuleTarget(model="own", provider="azure"))
    kinds = log_of([event()]).select(KEYS).collect()

    [row] = decided(kinds, [there], ()).to_dicts()

    assert (row["skipped"], row["changed"]) == ("no_operator_key", False)

"""What is taken for granted is said."""

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.simulate import simulate
from lectr_lab.core.routing.rules import Rule, RuleTarget

BIG = {"model_requested": "gpt-4o", "model_sent": "gpt-4o"}


def said(log, target, **options):
    rule = Rule(name="r", priority=1, then=RuleTarget(**target))
    return " ".join(simulate(priced(log), rule, **options).assumptions)


def test_what_carries_over_and_what_is_assumed(log_of, event):
    """Within a tokenizer's family exactly; a length nobody saw is assumed."""
    words = said(log_of([event(**BIG)]), {"model": "gpt-4.1-nano"})

    assert "the same tokens, so a prompt has as many" in words
    assert "taken to be as long" in words
    assert "no answer of gpt-4.1-nano" in words


def test_what_was_learned_names_its_answers(log_of, event):
    """With the interval."""
    seen = [event(output_tokens=n) for n in (400, 600) * 20]
    moved = [event(output_tokens=n, **BIG) for n in (200, 300) * 20]

    words = said(log_of(seen + moved), {"model": "gpt-4o-mini"})

    assert "2.00 times the tokens" in words
    assert "from 40 and 40 answers" in words


def test_caches_reasoning_and_tiers_are_named(log_of, event):
    """Where there are such requests, and only there."""
    cached = event(cache_read_tokens=100, reasoning_tokens=50, **BIG)
    there = {"model": "claude-haiku-4-5", "provider": "anthropic"}

    words = said(log_of([cached]), there, keyed=("anthropic",))

    assert "1 of the changed requests read from a cache" in words
    assert "1 of the changed answers held reasoning" in words
    assert "standard service tier" in words
    assert "cache" not in said(log_of([event(**BIG)]), {"model": "gpt-4o-mini"})

"""What a simulation takes for granted, in words, with the figures it rests on."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from lectr_lab.analysis.cells.newest import Newest
from lectr_lab.analysis.simulate.answer_length import LEAST_ANSWERS
from lectr_lab.core import formatting
from lectr_lab.core.recommendation import is_protected
from lectr_lab.core.routing.rules import Rule

_PAIR = ["from_provider", "from_model", "to_provider", "to_model"]
WARNING = "Warning: "
_FIRST = (
    "The same requests are sent again, and these rules take the place of the old ones"
)
_ASIDE = {
    "cached": "{n} of the changed requests read from a cache: the new model is taken to "
    "read as much from its own, though that is empty at first",
    "reasoned": "{n} of the changed answers held reasoning: the new model is taken to "
    "reason as much",
}


def assumption_sentences(
    moves: pl.DataFrame,
    facts: pl.DataFrame,
    rules: Sequence[Rule],
    newest: Newest | None = None,
) -> tuple[str, ...]:
    """The assumptions behind a simulation.

    Args:
        moves: one row per move, with sums, ratios and latencies.
        facts: one row per kind of request and day, with what was decided.
        rules: those simulated.
        newest: the rows that tell of answers, where these are not all.
    """
    return tuple(
        f"{sentence}."
        for sentence in (
            _FIRST,
            *_of_reasoning(facts),
            *_of_pairs(moves),
            *(_of_newest(newest) if moves.height else []),
            *_of_counts(moves),
            *_of_unjudged(moves),
            *_of_skips(facts),
            *_of_unsaid(facts),
            *(["There is no rule"] if not rules else []),
        )
    )


def _of_reasoning(facts: pl.DataFrame) -> Iterator[str]:
    """Obeyed, and never silently."""
    moved = facts.drop_nulls("move")
    protected = [task for task in moved["task"].unique() if is_protected(task)]
    moved = moved.filter(pl.col("task").is_in(protected))
    sums = moved.drop_nulls("rule").group_by("rule").agg(pl.col("requests").sum())
    for rule, n in sums.sort("rule").iter_rows():
        yield (
            f"{WARNING}the rule {formatting.name(rule)} sends {formatting.count(n)} "
            "requests with the task reasoning to another model; it is obeyed, but a "
            "smaller model is never recommended for them"
        )


def _of_unsaid(facts: pl.DataFrame) -> Iterator[str]:
    """Live the path says it; an imported log may not."""
    n = int(facts.filter(pl.col("operation").is_null())["requests"].sum())
    if n:
        yield (
            f"{formatting.count(n)} requests do not say what kind of call they were: no "
            "rule is applied to them (import them with operation==chat, if they were)"
        )


def _of_pairs(moves: pl.DataFrame) -> Iterator[str]:
    """What carries over from one model to the other."""
    keys = ["org", *_PAIR]
    several = moves["org"].n_unique() > 1
    alike: dict[str, list[str]] = defaultdict(list)
    for move in moves.unique(keys).sort(keys).iter_rows(named=True):
        whose = f" ({move['org']})" if several else ""
        from_to = f"{_name(move, 'from')} to {_name(move, 'to')}{whose}"
        alike[_tokens(move)].append(formatting.name(from_to, 160))
        alike[_length(move)].append(formatting.name(from_to, 160))
    for sentence, changes in alike.items():
        yield f"{', '.join(changes)}: {sentence}"
    changed = moves.filter(pl.col("from_provider") != pl.col("to_provider"))
    if changed.height:
        yield "Another provider is asked in its standard service tier"
    untimed = moves.filter(pl.col("after_n").is_null())["to_model"].unique().to_list()
    if untimed:
        names = ", ".join(formatting.name(name) for name in sorted(untimed))
        yield f"How fast they would answer is not known: the log has no answer of {names}"


def _of_newest(newest: Newest | None) -> Iterator[str]:
    if newest is not None and newest.first is not None:
        yield (
            "How long answers are, and how long they take, is told by the newest "
            f"{formatting.count(newest.n)} requests, from {newest.first:%Y-%m-%d %H:%M} "
            "UTC on"
        )


def _name(move: dict[str, Any], end: str) -> str:
    """A model, with its provider where that changes too."""
    changes = move["from_provider"] != move["to_provider"]
    provider = f"{move[f'{end}_provider']} " if changes else ""
    return f"{provider}{move[f'{end}_model']}"


def _tokens(move: dict[str, Any]) -> str:
    if move["same_tokens"]:
        return "both cut text into the same tokens, so a prompt has as many"
    return (
        "it is not known whether both cut text into the same tokens; a prompt is taken to "
        "have as many"
    )


def _length(move: dict[str, Any]) -> str:
    if move["from_model"] == move["to_model"]:
        return "the same model, so its answers are as long"
    if move["output_ratio_low"] is None:
        return (
            "answers are taken to be as long. To know better, let both models answer the "
            f"same feature and task {LEAST_ANSWERS} times each"
        )
    low, high = move["output_ratio_low"], move["output_ratio_high"]
    return (
        f"answers have {move['output_ratio']:.2f} times the tokens [{low:.2f}, "
        f"{high:.2f}], from {formatting.count(move['answers_from'])} and "
        f"{formatting.count(move['answers_to'])} answers to the same features and tasks"
    )


def _of_counts(moves: pl.DataFrame) -> Iterator[str]:
    for name, template in _ASIDE.items():
        if n := int(moves[name].sum()):
            yield template.format(n=formatting.count(n))


def _of_unjudged(moves: pl.DataFrame) -> Iterator[str]:
    if int(moves["counted"].sum()) > int(moves["judged"].sum()):
        yield (
            "Requests whose cost is not known, before or after, count as they were in both sums"
        )


def _of_skips(facts: pl.DataFrame) -> Iterator[str]:
    unkeyed = facts.filter(pl.col("skipped") == "no_operator_key")
    if n := int(unkeyed["requests"].sum()):
        yield (
            f"{formatting.count(n)} requests stay with their provider, for your own key of "
            "the new one was not named (`keyed=[...]`)"
        )

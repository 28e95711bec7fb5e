"""Where rules would have sent a log's requests: `core.routing.rules.decide`, over columns.

What a rule can see takes few different values together, so each combination is
decided once, by the function that decides live, and joined to its rows.
"""

from collections.abc import Collection, Sequence
from random import SystemRandom
from typing import Any

import polars as pl

from lectr_lab.analysis.views.percentiles import group_number
from lectr_lab.core.routing.rules import OF_RUN, Rule, RuleInput, decide

# Those that seldom tell two decisions apart come first: they are the first to be left
# out of the join.
KEYS = (
    "kind",
    "provider_requested",
    "model_requested",
    "operation",
    "task",
    "provider",
    "model_sent",
    *OF_RUN,
    "feature",
    "org",
)
"""What a decision depends on, what was done instead, and whose request it was."""

_DECIDED: dict[str, pl.DataType] = {
    "rule": pl.String(),
    "skipped": pl.String(),
    "from_model": pl.String(),
    "to_model": pl.String(),
    "to_provider": pl.String(),
    "changed": pl.Boolean(),
}


def as_rules_see(log: pl.LazyFrame, rules: Sequence[Rule]) -> pl.LazyFrame:
    """A log in which the names of runs are those that some rule has a condition for.

    There are too many else: every session has its own.
    """
    wanted = {
        name: {getattr(rule.when, name) for rule in rules} - {None} for name in OF_RUN
    }
    return log.with_columns(
        _where_wanted(pl.col(name), patterns).alias(name)
        for name, patterns in wanted.items()
    )


def _where_wanted(name: pl.Expr, patterns: Collection[str]) -> pl.Expr:
    exact = [one for one in patterns if not one.endswith("*")]
    begins = [name.str.starts_with(p[:-1]) for p in patterns if p.endswith("*")]
    fits = pl.any_horizontal(name.is_in(exact), *begins)
    return pl.when(fits).then(name) if patterns else pl.lit(None, pl.String)


def asked_model() -> pl.Expr:
    """The model that the provider was asked for."""
    return pl.coalesce("model_sent", "model_requested")


def decided(
    kinds: pl.DataFrame, rules: Sequence[Rule], keyed: Collection[str]
) -> pl.DataFrame:
    """Kinds of requests, with where the rules send them and whether they went there.

    Args:
        kinds: distinct values of `KEYS`.
        rules: as `in_order` has them, instead of those that were in force.
        keyed: the providers that the operator has a key for.

    Returns:
        The same rows with `rule` (applied), `skipped` (why one was not), `from_model`
        (asked for at the time), `to_provider` and `to_model` (asked for by these
        rules) and `changed`. Shadow requests are no client's: no rule sees them.
    """
    found = [
        _decision(kind, rules, keyed)
        for kind in kinds.select(KEYS).iter_rows(named=True)
    ]
    return kinds.hstack(pl.DataFrame(found, _DECIDED, orient="row"))


def _decision(
    kind: dict[str, Any], rules: Sequence[Rule], keyed: Collection[str]
) -> tuple[Any, ...]:
    was = (kind["model_sent"] or kind["model_requested"], kind["provider"])
    if kind["kind"] != "request":
        return (None, None, was[0], *was, False)
    rule_input = RuleInput(
        kind["feature"],
        kind["task"],
        kind["provider_requested"] or kind["provider"],
        kind["model_requested"],
        kind["operation"],
        *(kind[name] for name in OF_RUN),
    )
    rule, skipped, model, provider = decide(rules, rule_input, keyed)
    changed = model is not None and (model, provider) != was
    return (rule, skipped, was[0], model, provider, changed)


def joined(log: pl.LazyFrame, kinds: pl.DataFrame, what: Sequence[str]) -> pl.LazyFrame:
    """The rows whose kind is among those, each with what is said of its kind.

    Args:
        log: events, with the columns of `KEYS`.
        kinds: all kinds of the log, with `move`, null where rows are to be left out.
        what: further columns, one value per move.
    """
    keys = _telling(kinds)
    table = kinds.drop_nulls("move").select(*keys, "move", *what).unique()
    # Of most rows a hash tells that they stay, and then no more of them is read.
    number = group_number([pl.col(key) for key in keys], SystemRandom().getrandbits(62))
    moved = log.filter(number.is_in(table.select(number).to_series().implode()))
    return moved.join(table.lazy(), on=keys, how="inner", nulls_equal=True)


def _telling(kinds: pl.DataFrame) -> list[str]:
    """Keys enough to tell the moves apart: joining by few is faster."""
    keys = list(KEYS)
    for key in KEYS[:-1]:
        rest = [other for other in keys if other != key]
        if kinds.n_unique([*rest, "move"]) == kinds.n_unique(rest):
            keys = rest
    return keys

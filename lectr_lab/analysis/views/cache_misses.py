"""Of each request: how many tokens a full hit would have read, and why the rest was not.

A full hit reads all that an earlier request of the session can have sent: the part of the
input that `prefix_chars` is of `prompt_chars`, in the vendor's steps. Along the prompt it
is cut in three: what a cache could still serve (`prefix_kept_chars`) and did not, what
lies behind the change (`prefix_break`), and what no mark asked to cache. Characters are no
tokens: where nearly all of the kept part was read, it counts as read.
"""

from functools import cache
from typing import Any, NamedTuple

import polars as pl

from lectr_lab.analysis.views import rows
from lectr_lab.core.prefix.rules import ASSUMED_LIFETIME_S, rule_of

CAUSES = (
    "pause",
    "tools",
    "system",
    "history",
    "model",
    "parameters",
    "provider",
    "too_short",
    "unmarked",
)
"""Why tokens were not read: see `cache`."""

PARTS = ("kept", "changed", "unmarked")
"""Of the prompt, from its beginning; `missed_<part>` tokens, each with its cause."""

NEARLY = 0.8
"""Of the kept part: tokens of one prompt differ so much in their characters. Ours."""

_RULES = {
    "minimum_tokens": pl.Int64(),
    "step_tokens": pl.Int64(),
    "lifetime_s": pl.Int64(),
    "longer_s": pl.Int64(),
    "longer_writes": pl.String(),
    "longer_how": pl.String(),
    "is_marked": pl.Boolean(),
    "by_request": pl.Boolean(),
}


class _Tokens(NamedTuple):
    """Positions along a prompt, in tokens."""

    read: pl.Expr
    hit: pl.Expr
    kept: pl.Expr
    marked: pl.Expr


def with_misses(log: pl.LazyFrame) -> pl.LazyFrame:
    """The log's calls, each with what it missed.

    Returns:
        The rows of `log` whose input was counted, with `is_watched`, `missed_kept`,
        `missed_changed`, `missed_unmarked` (tokens, 0 where none), `kept_cause` and
        `changed_cause`, and `missed_longer`: those of `missed_kept` that a longer time
        to live would have read; `longer_writes` and `longer_how` as in `cache_rules.toml`.

    >>> from lectr_lab.log.schema import frame
    >>> with_misses(frame([]).lazy()).collect().height
    0
    """
    counted = log.filter(rows.is_request() & pl.col("input_tokens").is_not_null())
    ruled = counted.with_columns(_rules()).unnest("_rule")
    placed = ruled.with_columns(is_watched=_is_watched()).with_columns(_tokens())
    at = _Tokens(*(pl.col(f"_{name}") for name in _Tokens._fields))
    kept = (pl.min_horizontal(at.kept, at.marked) - at.read).clip(lower_bound=0)
    begins = pl.max_horizontal(at.read, at.kept)
    changed = pl.min_horizontal(at.hit, at.marked) - begins
    unmarked = at.hit - pl.max_horizontal(at.marked, at.read)
    missed = {"kept": kept, "changed": changed, "unmarked": unmarked}
    found = placed.with_columns(
        pl.when("is_watched")
        .then(tokens.clip(lower_bound=0))
        .otherwise(0)
        .alias(f"missed_{part}")
        for part, tokens in missed.items()
    ).with_columns(_causes())
    longer = (pl.col("kept_cause") == "pause") & (
        pl.col("idle_s") <= pl.col("longer_s")
    )
    return found.with_columns(
        missed_longer=pl.when(longer).then("missed_kept").otherwise(0)
    ).drop([f"_{name}" for name in (*_Tokens._fields, "is_short")])


def _is_watched() -> pl.Expr:
    known = pl.col("prefix_break").is_not_null() & pl.col("prefix_chars").is_not_null()
    # Who was not told the counts was not told what was read either.
    told = ~pl.col("token_source").is_in(["tokenizer", "ratio"]).fill_null(False)
    return known & told & (pl.col("prompt_chars") > 0).fill_null(False)


def _tokens() -> list[pl.Expr]:
    total = pl.col("input_tokens").cast(pl.Int64)
    read = pl.col("cache_read_tokens").fill_null(0).cast(pl.Int64).clip(0, total)
    written = pl.col("cache_write_tokens").fill_null(0).cast(pl.Int64)

    def part(chars: str) -> pl.Expr:
        share = pl.col(chars).fill_null(0) / pl.col("prompt_chars")
        return (share.clip(0, 1) * total).round().cast(pl.Int64)

    step = pl.col("step_tokens").fill_null(1)
    whole = part("prefix_chars")
    is_first = pl.col("prefix_break") == "first"
    kept = pl.min_horizontal(part("prefix_kept_chars"), whole)
    alone = (pl.col("prefix_break") != "none") & (kept < pl.col("minimum_tokens"))
    kept = pl.when(_is_cut_off() | alone.fill_null(False)).then(0).otherwise(kept)
    was_read = read >= NEARLY * kept
    kept = pl.when(was_read).then(read).otherwise(kept - kept % step)
    all_kept = was_read & (pl.col("prefix_break") == "none")
    hit = pl.when(is_first | all_kept).then(read).otherwise(whole - whole % step)
    # Who reads and does not say what was written may have written the rest.
    told = pl.col("cache_write_tokens").is_not_null() | (read == 0)
    explicit = pl.col("is_marked").fill_null(False) & told
    marked = pl.when(explicit).then(read + written)
    short = (hit < pl.col("minimum_tokens")) & (read == 0)
    return [
        read.alias("_read"),
        pl.max_horizontal(hit, read).alias("_hit"),
        kept.alias("_kept"),
        marked.otherwise(total).alias("_marked"),
        short.fill_null(False).alias("_is_short"),
    ]


def _is_cut_off() -> pl.Expr:
    """What is unchanged is in no cache: those are each model's own, and parameters'; where
    whole requests are cached, none ended before the change; and before the first nothing
    was asked, whatever a row says of it."""
    cause = pl.col("prefix_break")
    of_no_use = cause.is_in(["first", "model", "parameters"])
    before_any = cause.is_in(["tools", "system"]) | ((cause == "history") & ~_waited())
    return of_no_use | (before_any & pl.col("by_request").fill_null(False))


def _waited() -> pl.Expr:
    hourly = (pl.col("cache_write_1h_tokens") > 0).fill_null(False)
    lifetime_s = pl.when(hourly).then(3600).otherwise("lifetime_s")
    return (pl.col("idle_s") > lifetime_s.fill_null(ASSUMED_LIFETIME_S)).fill_null(
        False
    )


def _causes() -> list[pl.Expr]:
    short = pl.when("_is_short").then(pl.lit("too_short"))
    return [
        short.when(_waited())
        .then(pl.lit("pause"))
        .otherwise(pl.lit("provider"))
        .alias("kept_cause"),
        short.when(pl.col("prefix_break").is_in(["none", "first"]))
        .then(pl.lit("provider"))
        .otherwise("prefix_break")
        .alias("changed_cause"),
        short.otherwise(pl.lit("unmarked")).alias("unmarked_cause"),
    ]


def _rules() -> pl.Expr:
    """By whom and for which model it was asked."""
    asked = pl.coalesce("model_sent", "model_requested", "model_actual")
    return (
        pl.struct("provider", asked=asked)
        .map_batches(_look_up, return_dtype=pl.Struct(_RULES), is_elementwise=True)
        .alias("_rule")
    )


def _look_up(asked: pl.Series) -> pl.Series:
    names = asked.struct.unnest()
    kinds = names.unique()
    rules = pl.DataFrame(
        [_rule(*kind) for kind in kinds.iter_rows()], schema=_RULES, orient="row"
    )
    found = names.join(
        kinds.hstack(rules.get_columns()),
        on=names.columns,
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    return found.select(_RULES.keys()).to_struct(asked.name)


@cache
def _rule(provider: str | None, model: str | None) -> tuple[Any, ...]:
    rule = rule_of(provider, model)
    if rule is None:
        return (None,) * len(_RULES)
    of_model = rule.of_model(model)
    return (
        of_model.minimum_tokens,
        of_model.step_tokens or rule.step_tokens,
        of_model.lifetime_s,
        of_model.longer_s,
        of_model.longer_writes,
        of_model.longer_how,
        rule.marks == "explicit",
        of_model.by_request,
    )

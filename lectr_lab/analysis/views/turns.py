"""One run, request by request: what a session sent, got and cost, in the order of time."""

from collections.abc import Sequence
from difflib import get_close_matches

import polars as pl

from lectr_lab.analysis.views import rows
from lectr_lab.core.errors import LabError
from lectr_lab.core.formatting import name

_NEAR = 3


def turns(log: pl.LazyFrame, session: str, *, org: str | None = None) -> pl.LazyFrame:
    """The requests of a session, one a row, in the order in which they began.

    Args:
        log: events with `cost_usd`.
        session: its id, as the log has it.
        org: whose it is, where two orgs have one of that name.

    Returns:
        `request` (from 1), `started_at`, `lane` (who asked: `main`, `side-call`, or a
        subagent's id), `agent`, `turn_kind`, `model`, tokens: `fresh_input_tokens`,
        `cache_write_tokens`, `cache_read_tokens`, whose sum is the input, and
        `output_tokens` (all null where nobody said), `cost_usd` (by list, where a plan
        covers it), `spent_usd` (so far), `total_ms`, `pause_ms` (before it, in which
        nothing ran), `outcome`, `error_type`, `failed`, `retried` and `on_plan`.

    >>> from lectr_lab.analysis.pricing.priced import priced
    >>> from lectr_lab.log.schema import frame
    >>> turns(priced(frame([]).lazy()), "s1").collect().columns[:3]
    ['request', 'started_at', 'lane']
    """
    own = log.filter(rows.is_call(), pl.col("session") == session)
    if org is not None:
        own = own.filter(pl.col("org") == org)
    read, write = (
        pl.col(f"cache_{what}_tokens").fill_null(0) for what in ("read", "write")
    )
    start, cost = pl.col("started_at"), rows.list_usd()
    took = pl.col("total_ms").fill_null(0.0) * 1000
    ended = start + pl.duration(microseconds=took.cast(pl.Int64))
    pause = (start - ended.cum_max().shift(1)).dt.total_microseconds() / 1000
    counted = pl.col("input_tokens").is_not_null()
    return (
        own.sort("started_at", "event_id")
        .with_row_index("request", 1)
        .select(
            "request",
            "started_at",
            _lane().alias("lane"),
            "agent",
            "turn_kind",
            rows.model(),
            (pl.col("input_tokens") - read - write)
            .clip(lower_bound=0)
            .alias("fresh_input_tokens"),
            pl.when(counted).then(write).alias("cache_write_tokens"),
            pl.when(counted).then(read).alias("cache_read_tokens"),
            "output_tokens",
            cost.alias("cost_usd"),
            cost.fill_null(0.0).cum_sum().alias("spent_usd"),
            "total_ms",
            pause.clip(lower_bound=0.0).alias("pause_ms"),
            "outcome",
            "error_type",
            rows.failed().alias("failed"),
            rows.retried().alias("retried"),
            rows.covered_by_plan().fill_null(False).alias("on_plan"),
        )
    )


MAIN, SIDE, SHADOW = "main", "side-call", "shadow"


def _lane() -> pl.Expr:
    kind = pl.col("turn_kind")
    return (
        pl.when(pl.col("kind") == "shadow")
        .then(pl.lit(SHADOW))
        .when(rows.main_turn() | (kind == "compaction"))
        .then(pl.lit(MAIN))
        .when(kind == "side_call")
        .then(pl.lit(SIDE))
        .otherwise(pl.coalesce("agent", pl.lit("subagent")))
    )


def found(
    known: Sequence[tuple[str, str]], wanted: str, org: str | None = None
) -> tuple[str, str]:
    """The org and the session that are meant, by a whole id or the beginning of one.

    Args:
        known: org and session of each there is.
        wanted: an id, or so much of its beginning as no other has.
        org: whose it is, where several have it.

    Raises:
        LabError: there is none, or several; it names those that are near.

    >>> found([("a", "3829a615"), ("a", "eb022845")], "3829")
    ('a', '3829a615')
    """
    of_org = [one for one in known if org in (None, one[0])]
    exact = [one for one in of_org if one[1] == wanted]
    begun = exact or [one for one in of_org if wanted and one[1].startswith(wanted)]
    if len(begun) == 1:
        return begun[0]
    if exact:
        orgs = ", ".join(sorted(name(one[0]) for one in exact))
        raise LabError(
            f"Session {name(wanted)} is one of several orgs: {orgs}. Name one with org=…."
        )
    if begun:
        some = ", ".join(sorted(name(one[1]) for one in begun)[:_NEAR])
        raise LabError(
            f"{len(begun)} sessions begin with {name(wanted)}: {some}, … Write more of it."
        )
    ids = list(dict.fromkeys(one[1] for one in of_org))
    near = get_close_matches(wanted, ids, n=_NEAR, cutoff=0.4)
    if not ids:
        raise LabError(
            "No request in this log names a session. Coding agents do by themselves; "
            "else add the header X-Lectr-Session."
        )
    hint = "The nearest: " if near else "The latest: "
    some = ", ".join(map(name, near or ids[:_NEAR]))
    raise LabError(
        f"No session {name(wanted)} in this log. {hint}{some}. "
        "They are listed by sessions(log), or `lectr-lab sessions`."
    )

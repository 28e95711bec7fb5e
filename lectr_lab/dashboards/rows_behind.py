"""The requests behind a figure: what a selection of the page means in the log.

A page asks its kernel, or the server that drew it, with
`{"ask": "rows", "selection": {…}, "order": "dearest" | "newest", "limit": n, "of": k}`,
and is answered with `{"answer": "rows", "of": k, "rows": {…}, "n": all of them}`. The
selection says what it takes in full, so that the answer depends on nothing else:

- `from`, `to`: ms since 1970, UTC; from the first on, up to but without the second
- `features`: pairs of org and feature; `not_features`: also all but these
- `providers`: names
- `models`: pairs of provider and model; `not_models`: also all but these
- `errors`: pairs of why a request failed, and whose fault it was; `not_errors`: also
  any other failure
- `sessions`: pairs of org and session; `not_sessions`: also all but these

Whenever the selection changes, a live page says `{"selected": {…}}`, in the same form.

Null is what is missing. A key that is absent or empty selects everything.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import reduce
from operator import or_
from typing import Any

import polars as pl

from lectr_lab.analysis.views import cube, rows
from lectr_lab.analysis.views.cube import Leaders
from lectr_lab.analysis.views.groups import key_columns
from lectr_lab.analysis.views.selection import Period
from lectr_lab.core.errors import LabError
from lectr_lab.core.event import UNTAGGED
from lectr_lab.core.formatting import name
from lectr_lab.dashboards.counted import BATCH_ROWS

CARRIED = 500
"""So many of the dearest requests and of the newest travel with a page."""

CARRIED_FAILED = 200
"""And so many of the newest that failed."""

MOST_ASKED = 1_000
_ORDERS = {
    "dearest": ("cost_usd", "started_at", "event_id"),
    "newest": ("started_at", "event_id"),
}
_MS = 1_000
_FAR_MS = 1e14
_SHOWN = [
    *("event_id", "started_at", "org", "feature", "provider", "model", "session"),
    *("input_tokens", "cache_read_tokens", "output_tokens", "cost_usd", "total_ms"),
    *("status", "outcome", "why", "whose"),
]
_READ = [
    *("event_id", "started_at", "org", "feature", "provider", "session"),
    *("model_actual", "model_sent", "model_requested", "kind", "operation", "path"),
    *("input_tokens", "cache_read_tokens", "output_tokens", "cost_usd", "total_ms"),
    *("status", "outcome", "error_type", "error_source"),
]
"""What that is told from."""


def rows_of(
    log: pl.LazyFrame, selection: Mapping[str, Any], by: str = "feature"
) -> pl.LazyFrame:
    """The client's own calls that a selection of the page takes, with all their columns.

    Args:
        log: events, as `scan` gives them.
        selection: what is selected, in the form that stands above.
        by: the column that stands in the place of the features.

    Raises:
        LabError: something in the selection has another form, or there is no such column.

    >>> from lectr_lab.analysis.pricing.priced import priced
    >>> from lectr_lab.log.schema import frame
    >>> rows_of(priced(frame([]).lazy()), {"providers": ["openai"]}).collect().height
    0
    """
    feature = pl.col("feature")
    if by != "feature":
        [key] = key_columns(log, by, org="")
        feature = key.cast(pl.String)
    org = pl.col("org")
    failed = [pl.when(rows.failed()).then(said) for said in cube.reasons()]
    pairs = {
        "features": (org, feature),
        "models": (pl.col("provider"), rows.model()),
        "errors": tuple(failed),
        "sessions": (org, pl.col("session")),
    }
    wanted = [rows.is_request(), *_within(selection)]
    for what, columns in pairs.items():
        some, others = _list(selection, what), _list(selection, f"not_{what}")
        if some or others:
            wanted.append(_any_of(columns, some, others, failures=what == "errors"))
    if providers := _list(selection, "providers"):
        wanted.append(pl.col("provider").is_in(providers, nulls_equal=True))
    return log.filter(*wanted)


def _within(selection: Mapping[str, Any]) -> list[pl.Expr]:
    at = pl.col("started_at").dt.epoch("us")
    found = []
    for end, compare in (("from", at.ge), ("to", at.lt)):
        moment = selection.get(end)
        if moment is None:
            continue
        if isinstance(moment, bool) or not isinstance(moment, int | float):
            raise LabError(f"{end!r} of a selection is a number of ms since 1970.")
        if not math.isfinite(moment) or abs(moment) > 1e15:
            raise LabError(f"{end!r} of a selection lies too far away.")
        found.append(compare(int(moment * _MS)))
    return found


def when_of(message: Mapping[str, Any]) -> Period:
    """The time that a page asks about, where it says one."""
    selection = message.get("selection")
    told = selection if isinstance(selection, Mapping) else {}
    return Period(*(_moment(told.get(end)) for end in ("from", "to")))


def _moment(ms: Any) -> datetime | None:
    if isinstance(ms, bool) or not isinstance(ms, int | float):
        return None
    return datetime.fromtimestamp(ms / _MS, UTC) if 0 <= ms < _FAR_MS else None


def _list(selection: Mapping[str, Any], key: str) -> list[Any]:
    found = selection.get(key) or []
    if not isinstance(found, list | tuple):
        raise LabError(f"{key!r} of a selection is a list.")
    pairs = key != "providers"
    for one in found:
        parts = one if pairs else [one]
        if (
            not isinstance(parts, list | tuple)
            or len(parts) != 1 + pairs
            or not all(part is None or _is_text(part) for part in parts)
        ):
            form = "pairs of names" if pairs else "names"
            raise LabError(f"{key!r} of a selection are {form}, or null.")
    return list(found)


def _is_text(part: Any) -> bool:
    """Half a letter, which JSON can hold, is none."""
    return isinstance(part, str) and not any("\ud800" <= c <= "\udfff" for c in part)


def _any_of(
    columns: tuple[pl.Expr, ...], some: list[Any], others: list[Any], *, failures: bool
) -> pl.Expr:
    """One of these, or, where others are told, none of those."""

    def one_of(pairs: list[Any]) -> pl.Expr:
        same = (
            columns[0].eq_missing(pl.lit(a, pl.String))
            & columns[1].eq_missing(pl.lit(b, pl.String))
            for a, b in pairs
        )
        return reduce(or_, same, pl.lit(False))

    found = one_of(some)
    if others:
        found |= ~one_of(others)
    return found & rows.failed() if failures else found


def behind(
    log: pl.LazyFrame,
    selection: Mapping[str, Any],
    *,
    order: str = "dearest",
    limit: int = CARRIED,
    by: str = "feature",
) -> tuple[pl.DataFrame, int]:
    """The first rows of a selection, and how many it has in all.

    Args:
        log: events with `cost_usd`.
        selection: as for `rows_of`.
        order: dearest or newest first; what has no known cost comes last.
        limit: so many rows at most.
        by: as for `rows_of`.

    Raises:
        LabError: no such order, or what `rows_of` refuses.
    """
    if order not in _ORDERS:
        raise LabError(f"{order!r} is no order. Take dearest or newest.")
    limit = max(0, min(int(limit), MOST_ASKED))
    some = shown(rows_of(log, selection, by), by)
    first = some.sort(_ORDERS[order], descending=True, nulls_last=True).head(limit)
    found, n = pl.collect_all([first, some.select(pl.len())])
    return found, n.item()


def shown(some: pl.LazyFrame, by: str = "feature") -> pl.LazyFrame:
    """What a list of requests shows of each, and what it is told apart by."""
    made: list[pl.Expr] = [rows.model(), *cube.reasons()]
    if by != "feature":
        [key] = key_columns(some, by, org="")
        made.append(key.cast(pl.String).alias("feature"))
    failed = [
        pl.when(rows.failed()).then(pl.col(what)).alias(what)
        for what in ("why", "whose")
    ]
    return some.with_columns(made).with_columns(failed).select(_SHOWN)


def listed(found: pl.DataFrame) -> dict[str, list[Any]]:
    """Requests as the page lists them: columns, with every client's string on one line.

    `id` is the event's, in hexadecimal; `at` ms since 1970.
    """
    names = ("provider", "model", "session")
    return {
        "id": [event.hex() if event else "" for event in found["event_id"]],
        "at": found["started_at"].dt.epoch("ms").to_list(),
        "feature": [name(text or UNTAGGED) for text in found["feature"]],
        **{what: [name(text) for text in found[what]] for what in names},
        **{
            what: found[what].to_list()
            for what in ("input_tokens", "cache_read_tokens", "output_tokens")
        },
        "cost_usd": found["cost_usd"].cast(pl.Float64).round_sig_figs(7).to_list(),
        "total_ms": found["total_ms"].round(1).to_list(),
        "outcome": [
            name(why or outcome)
            for why, outcome in found.select("why", "outcome").iter_rows()
        ],
    }


def carried(log: pl.LazyFrame, leaders: Leaders, of: str = "") -> dict[str, Any]:
    """The dearest and the newest requests of a log and the newest that failed, for a
    page without a kernel.

    Args:
        log: events with `cost_usd`, their features as the page names them.
        leaders: what has a place of its own on the page.
        of: which of a longer log these are, as `recent` says.

    Returns:
        The columns of `listed`; `of`; the places `f`, `m` and `s` of each; `error`, why it
        failed and whose fault it was, or null; and whether it is one of the `dearest`,
        of the `newest`, and of the newest that `failed`. Ready for JSON.
    """
    firsts = _firsts(log.filter(rows.is_request()).select(_READ))
    which = [set(first["row"]) for first in firsts]
    some = pl.concat(firsts).unique("row", maintain_order=True)
    texts = pl.col(pl.Categorical).cast(pl.String)
    both = shown(some.lazy().with_columns(texts)).collect()
    errors = both.select("why", "whose").iter_rows()
    return {
        **listed(both),
        "of": of,
        "f": _places(both, "org", "feature", leaders.features),
        "m": _places(both, "provider", "model", leaders.models),
        "s": _places(both, "org", "session", leaders.sessions),
        "error": [why and [name(why), name(whose)] for why, whose in errors],
        "dearest": [int(row in which[0]) for row in some["row"]],
        "newest": [int(row in which[1]) for row in some["row"]],
        "failed": [int(row in which[2]) for row in some["row"]],
    }


def _firsts(some: pl.LazyFrame) -> list[pl.DataFrame]:
    """The dearest and the newest of requests and the newest that failed, by their number
    in `row`; read once, in batches."""
    wanted = [
        (pl.lit(True), "dearest", CARRIED),
        (pl.lit(True), "newest", CARRIED),
        (rows.failed(), "newest", CARRIED_FAILED),
    ]
    found = [some.head(0).with_row_index("row").collect()] * len(wanted)
    n = 0

    def look(batch: pl.DataFrame) -> None:
        nonlocal n, found
        told = batch.with_row_index("row", offset=n)
        n += batch.height
        found = [
            _first(first, told.filter(which), _ORDERS[order], most)
            for first, (which, order, most) in zip(found, wanted, strict=True)
        ]

    some.sink_batches(look, chunk_size=BATCH_ROWS, maintain_order=False)
    return found


def _first(
    found: pl.DataFrame, some: pl.DataFrame, order: Sequence[str], most: int
) -> pl.DataFrame:
    """The first of those that were found and of some more; few of these are put in
    order, for what is looked at first tells most of them."""
    both = pl.concat([found, some])
    key = both[order[0]]
    if key.count() > most:
        both = both.filter(key >= key.top_k(most).min())
    return both.sort(order, descending=True, nulls_last=True).head(most)


def _places(
    found: pl.DataFrame, one: str, other: str, pairs: Sequence[tuple[Any, Any]]
) -> list[int]:
    place = {pair: i for i, pair in enumerate(pairs)}
    return [
        place.get(pair, len(pairs)) for pair in found.select(one, other).iter_rows()
    ]


def reply(
    log: pl.LazyFrame, message: Mapping[str, Any], by: str = "feature"
) -> dict[str, Any]:
    """The answer to a page that asks for rows, to be sent as JSON.

    What cannot be answered is said in `error`, a sentence.

    >>> from lectr_lab.analysis.pricing.priced import priced
    >>> from lectr_lab.log.schema import frame
    >>> reply(priced(frame([]).lazy()), {"ask": "rows", "order": "best"})["error"]
    "'best' is no order. Take dearest or newest."
    """
    answer: dict[str, Any] = {"answer": "rows", "of": message.get("of")}
    selection, limit = message.get("selection") or {}, message.get("limit", CARRIED)
    order = message.get("order", "dearest")
    try:
        if not isinstance(selection, Mapping) or not isinstance(limit, int):
            raise LabError("A selection is an object, and a limit a whole number.")
        found, n = behind(log, selection, order=str(order), limit=limit, by=by)
    except LabError as error:
        return answer | {"error": str(error)}
    return answer | {"rows": listed(found), "n": n, "order": order}

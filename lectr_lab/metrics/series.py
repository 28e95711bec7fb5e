"""Counts as metrics: OpenTelemetry's names for what it names, `lectr.*` for the rest."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from lectr_lab.log.exporters.otel_names import otel_names
from lectr_lab.metrics.counts import SECONDS, TOKENS, Counts
from lectr_lab.metrics.labels import LABELS

Kind: TypeAlias = Literal["counter", "gauge", "histogram"]
Attributes: TypeAlias = tuple[str, ...]
"""Values, in the order of the metric's `attributes`."""


class Distribution(NamedTuple):
    """How many were in each bucket, the last one without an end; and their sum."""

    buckets: tuple[int, ...]
    sum: float


class Metric(NamedTuple):
    """A metric with its series."""

    name: str  # OpenTelemetry's form
    unit: str  # UCUM's, as OpenTelemetry writes units
    kind: Kind
    about: str
    attributes: tuple[str, ...]
    points: dict[Attributes, float | Distribution]
    bounds: tuple[float, ...] = ()


class Lacks(NamedTuple):
    """What the log does not have, and what the metrics do not show apart."""

    dropped: int = 0
    unread_batches: int = 0
    unread_files: int = 0


SET = (
    "lectr.org",
    "lectr.feature",
    "gen_ai.provider.name",
    "gen_ai.response.model",
    "gen_ai.operation.name",
)
"""The attributes of every series: OpenTelemetry's names of `LABELS`."""

TOKEN_TYPE = "gen_ai.token.type"


class _Counter(NamedTuple):
    what: str
    name: str
    unit: str
    more: str  # one attribute more than those of its set
    about: str


_REQUESTS = "Requests in the log, shadows included."
_ERRORS = "Requests that failed; a client that left is none."
_TOKENS = (
    "Tokens as the provider counts them: input has those read from and written to a "
    "cache in it, output those of reasoning."
)
_UNPRICED = "Requests that were counted and have no known price."
_COUNTERS = (
    _Counter("requests", "lectr.requests", "{request}", "lectr.outcome", _REQUESTS),
    _Counter("errors", "lectr.errors", "{request}", "error.type", _ERRORS),
    _Counter("tokens", "lectr.tokens", "{token}", TOKEN_TYPE, _TOKENS),
    _Counter("unpriced", "lectr.unpriced", "{request}", "", _UNPRICED),
)
_SPEND = "What requests cost by list or by your own prices, where that is known."
_DURATION = "How long requests took that ended well, to the last byte sent on."
_FIRST_CHUNK = "From asking the provider to the first content of a stream."
_USAGE = "Tokens of requests that ended well."


def metrics(total: Counts, lacks: Lacks | None = None) -> list[Metric]:
    """What is shown of counts.

    Args:
        total: as `Tail` has them.
        lacks: what the log does not have; None: that is not known.
    """
    by_what: dict[str, dict[tuple[Attributes, str | int], int]] = defaultdict(Counter)
    for (what, labels, more), n in total.items():
        by_what[what][_conventional(labels), more] += n
    is_priced = "pusd" in by_what or "unpriced" in by_what
    made = [_counter(by_what, one) for one in _COUNTERS]
    if is_priced:
        usd = {at: n / 1e12 for (at, _), n in by_what["pusd"].items()}
        made.append(Metric("lectr.spend", "USD", "counter", _SPEND, SET, {**usd}))
    made += [
        _histogram(by_what, "duration", "operation.duration", _DURATION),
        _histogram(
            by_what, "first_chunk", "operation.time_to_first_chunk", _FIRST_CHUNK
        ),
        _token_usage(by_what),
    ]
    return [*made, *(_lacking(lacks) if lacks else ())]


def _conventional(labels: Attributes) -> Attributes:
    """With the conventions' words, where they have one: `responses` is a "chat"."""
    words = otel_names().values
    named = zip(LABELS, labels, strict=True)
    return tuple([words.get(name, {}).get(value, value) for name, value in named])


_ByWhat: TypeAlias = dict[str, dict[tuple[Attributes, str | int], int]]


def _counter(by_what: _ByWhat, one: _Counter) -> Metric:
    attributes = (*SET, one.more) if one.more else SET
    points: dict[Attributes, float | Distribution] = {
        (*at, str(own)) if one.more else at: n
        for (at, own), n in by_what[one.what].items()
    }
    return Metric(one.name, one.unit, "counter", one.about, attributes, points)


def _histogram(by_what: _ByWhat, what: str, name: str, about: str) -> Metric:
    found = dict(_distributions(by_what, what, SECONDS, 1e-6))
    return Metric(
        f"gen_ai.client.{name}", "s", "histogram", about, SET, {**found}, SECONDS
    )


def _token_usage(by_what: _ByWhat) -> Metric:
    points: dict[Attributes, float | Distribution] = {}
    for kind in ("input", "output"):
        for at, one in _distributions(by_what, f"token_usage.{kind}", TOKENS, 1.0):
            points[(*at, kind)] = one
    name, attributes = "gen_ai.client.token.usage", (*SET, TOKEN_TYPE)
    return Metric(name, "{token}", "histogram", _USAGE, attributes, points, TOKENS)


def _distributions(
    by_what: _ByWhat, what: str, bounds: tuple[float, ...], unit: float
) -> Iterator[tuple[Attributes, Distribution]]:
    buckets: dict[Attributes, list[int]] = {}
    for (at, place), n in by_what[what].items():
        buckets.setdefault(at, [0] * (len(bounds) + 1))[int(place)] += n
    sums = by_what[f"{what}.sum"]
    for at, counted in buckets.items():
        yield at, Distribution(tuple(counted), sums[at, ""] * unit)


def _lacking(lacks: Lacks) -> Iterator[Metric]:
    told = (
        ("dropped", "{event}", "Events that never reached the log."),
        ("unread_batches", "{batch}", "Batches of events that could not be read."),
        ("unread_files", "{file}", "Files of the log that cannot be read."),
    )
    for (name, unit, about), n in zip(told, lacks, strict=True):
        named = f"lectr.log.{name}"
        yield Metric(named, unit, "gauge", about, (), {(): float(n)})


def rows_of(total: Counts) -> int:
    """How many rows were counted.

    >>> from lectr_lab.metrics.counts import Key
    >>> rows_of(Counter({Key("requests", ("me",), "ok"): 2, Key("errors", ("me",)): 1}))
    2
    """
    return sum(n for key, n in total.items() if key.what == "requests")

"""Made-up traffic with nothing odd in it, and the same with a fault, from seeds.

Each feature has a daily and a weekly rhythm, growth, noise that lasts and noise that
does not, an error rate, one to three models, and lengths and latencies that drift. What
is drawn is written down in `Feature`; nothing was fitted to what looks for it.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.signal import lfilter

from lectr_lab.log.schema import polars_schema

START = datetime(2026, 10, 5, tzinfo=UTC)  # a Monday
CELL_S = 300
DAY = 288  # cells
MOST_CELLS = 42 * DAY
Array: TypeAlias = NDArray[np.float64]

MODELS = ("model-a", "model-b", "model-c", "model-new")
PRICES = (
    (2.5e-6, 10e-6),
    (0.4e-6, 1.6e-6),
    (5e-6, 25e-6),
    (3e-6, 15e-6),
)  # USD a token
CACHED = 0.25  # of the price of input


class Feature(NamedTuple):
    """What the traffic of one feature is drawn from; logarithms are natural."""

    seed: int
    name: str
    rate: float  # requests an hour, on the mean of a week
    swing: float  # of the day, as the logarithm of the peak
    peak: float  # its hour
    weekend: float
    growth: float  # a day
    lasting: float  # sd of the logarithm of noise that fades over hours
    white: float  # sd of the logarithm of noise of one cell
    failing: float
    mix: tuple[float, ...]
    prompt: tuple[float, float]  # mean and sd of ln tokens
    answer: tuple[float, float]
    latency: tuple[float, float]  # ln ms
    cached: float  # share of requests that find a cache
    drift: float  # a day, of each of the means above


class Fault(NamedTuple):
    """One thing that goes wrong, by how much, from one cell to before another."""

    kind: str
    size: float
    first: int
    last: int


def feature(seed: int, rate: float, name: str = "") -> Feature:
    """A feature drawn from a seed."""
    rng = np.random.default_rng((seed, int(10 * rate)))
    main = rng.uniform(0.55, 1.0)
    mixes = ((1.0,), (main, 1 - main), (main, 0.7 * (1 - main), 0.3 * (1 - main)))
    return Feature(
        seed=seed,
        name=name or f"feature-{seed}",
        rate=rate,
        swing=rng.uniform(0.1, 1.0),
        peak=rng.uniform(9, 18),
        weekend=rng.uniform(0.4, 1.0),
        growth=rng.uniform(-0.01, 0.03),
        lasting=rng.uniform(0.02, 0.2),
        white=rng.uniform(0.0, 0.15),
        failing=float(rng.choice([0.0, 0.001, 0.005, 0.02])),
        mix=mixes[rng.integers(3)],
        prompt=(rng.uniform(5.5, 8.5), rng.uniform(0.4, 1.2)),
        answer=(rng.uniform(3.5, 6.5), rng.uniform(0.4, 1.1)),
        latency=(rng.uniform(6.0, 9.0), rng.uniform(0.3, 0.8)),
        cached=float(rng.choice([0.0, rng.uniform(0.2, 0.8)])),
        drift=rng.uniform(0.0, 0.02),
    )


def requests(
    what: Feature, cells: int, fault: Fault | None = None, first: int = 0
) -> pl.DataFrame:
    """The requests of a feature from a cell to before another, a row each.

    The same feature has the same rates and means whatever part of it is drawn.

    Args:
        what: the feature.
        cells: up to which the traffic goes on.
        fault: what goes wrong.
        first: the first cell that is drawn.
    """
    state = np.random.default_rng((what.seed, 1))
    hourly = _lasting(state, cells, what.lasting)
    white = what.white * state.normal(size=MOST_CELLS)[:cells]
    wander = {key: _lasting(state, cells, 0.03) for key in ("prompt", "answer")}
    wander["latency"] = _lasting(state, cells, 0.06)
    t = np.arange(cells)
    day = t / DAY
    drifts = {key: what.drift * state.choice([-1, 1]) * day for key in wander}
    rate = what.rate / 12 * _rhythm(what, t) * np.exp(hourly + white)
    rate = rate * (1 + what.growth) ** day
    hit = np.zeros(cells, bool)
    if fault is not None:
        hit[fault.first : fault.last] = True
        if fault.kind == "traffic":
            rate = np.where(hit, rate * fault.size, rate)
    rng = np.random.default_rng((what.seed, 2, first, 0 if fault is None else 1))
    cell = np.repeat(t[first:], rng.poisson(rate[first:]))
    means = {key: wander[key] + drifts[key] for key in wander}
    return _rows(what, rng, cell, means, fault, hit[cell])


def _lasting(rng: np.random.Generator, cells: int, sd: float) -> Array:
    """Noise whose neighbours resemble each other for some three hours."""
    rho = float(np.exp(-1 / 36))
    # As many are drawn whatever part is wanted, so that every part is of one whole.
    white = rng.normal(0, sd * np.sqrt(1 - rho**2), MOST_CELLS + DAY)
    out: Array = lfilter([1.0], [1.0, -rho], white)[DAY : DAY + cells]
    return out


def _rhythm(what: Feature, t: NDArray[np.int64]) -> Array:
    hour = t / 12 % 24
    daily = np.exp(what.swing * np.cos(2 * np.pi * (hour - what.peak) / 24))
    weekly = np.where(t // DAY % 7 >= 5, what.weekend, 1.0)
    return daily / np.exp(what.swing**2 / 4) * weekly


def _rows(
    what: Feature,
    rng: np.random.Generator,
    cell: NDArray[np.int64],
    means: dict[str, Array],
    fault: Fault | None,
    hit: NDArray[np.bool_],
) -> pl.DataFrame:
    n = len(cell)
    kind, size = (fault.kind, fault.size) if fault else ("", 1.0)

    def lengths(key: str) -> Array:
        mean, sd = getattr(what, key)
        times = np.where(hit & (kind == key), size, 1.0)
        return rng.lognormal(mean + means[key][cell], sd) * times

    prompt = np.maximum(1, np.rint(lengths("prompt")))
    answer = np.maximum(1, np.rint(lengths("answer")))
    latency = lengths("latency")
    if kind == "tail":
        share, times = divmod(size, 1.0)  # 20.5: a fifth takes five times as long
        slow = hit & (rng.random(n) < share / 100)
        latency = np.where(slow, latency * times * 10, latency)
    model = rng.choice(len(what.mix), n, p=what.mix)
    if kind == "mix":
        model = np.where(hit & (model == 0) & (rng.random(n) < size), 1, model)
    if kind == "new model":
        model = np.where(hit & (rng.random(n) < size), 3, model)
    finds = rng.random(n) < what.cached * np.where(hit & (kind == "cache"), size, 1.0)
    read = np.where(finds, np.rint(prompt * rng.uniform(0.5, 0.95, n)), 0)
    failing = np.where(hit & (kind == "errors"), size, what.failing)
    ok = rng.random(n) >= failing
    usd = np.array(PRICES)
    cost = (prompt - read + CACHED * read) * usd[model, 0] + answer * usd[model, 1]
    cost = cost * np.where(hit & (kind == "price"), size, 1.0)
    us = ((cell + rng.random(n)) * CELL_S * 1e6).astype(np.int64)
    names = pl.Series(MODELS).gather(model.astype(np.uint32))
    rows = pl.DataFrame(
        {
            "started_at": us,
            "ok": ok,
            "model_actual": names,
            "total_ms": np.where(ok, latency, 50.0),
            "input_tokens": prompt.astype(np.int64),
            "output_tokens": answer.astype(np.int64),
            "cache_read_tokens": read.astype(np.int64),
            "cost_usd": cost,
        }
    )
    counts = ("input_tokens", "output_tokens", "cache_read_tokens", "cost_usd")
    return rows.select(
        (pl.lit(START) + pl.duration(microseconds="started_at")).alias("started_at"),
        pl.lit("made-up").alias("org"),
        pl.lit(what.name).alias("feature"),
        pl.lit("request").alias("kind"),
        pl.lit("chat").alias("operation"),
        pl.lit("/v1/chat/completions").alias("path"),
        pl.lit("openai").alias("provider"),
        pl.when("ok")
        .then(pl.lit("ok"))
        .otherwise(pl.lit("provider_error"))
        .alias("outcome"),
        "model_actual",
        "total_ms",
        *(pl.when("ok").then(name).alias(name) for name in counts),
    ).sort("started_at")


def as_log(rows: pl.DataFrame) -> pl.LazyFrame:
    """Rows with every column of a log, and `cost_usd`."""
    schema = polars_schema()
    ids = pl.int_range(pl.len()).cast(pl.String).str.zfill(16).cast(pl.Binary)
    given: dict[str, Any] = {name: pl.col(name) for name in rows.columns}
    given.setdefault("event_id", ids)
    columns = [
        given.get(name, pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in schema.items()
    ]
    return rows.lazy().select(*columns, "cost_usd")


def moment(cell: int) -> datetime:
    """When a cell begins."""
    return START + timedelta(seconds=CELL_S * cell)

"""How far each look is from what was expected, as a z: one function for each kind.

Counts are negative binomial around what was expected: its variance is the mean's plus
phi times its square, phi being how much windows of this length have varied beyond chance
in the past week. Spend is a gamma of the mean and variance that these counts of requests
imply. Means are normal, with the variance within requests and the one between windows.
Shares are beta-binomial, so that they fire from a past of zero: the prior is half an
event in the requests of a week.

Exact tails are taken where a z is large enough to matter; below, a normal one is near.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, gammaincc, gammaln, ndtri

from lectr_lab.analysis.odd.history import History, by_hour, lag_of, together
from lectr_lab.analysis.odd.predict import Array, past_week, sums

_FLOOR = 0.02**2  # no window is held to vary by less than 2 % beyond chance
_CACHE_FLOOR = 0.01**2  # nor a share of cached tokens by less than a point
_MATTERS = 1.8
_MOST_PHI = 1e6  # before anything is known
_NOTHING = 1e-30  # USD squared
_LEAST_REQUESTS = 20  # of the week, before a mean is judged
_TAIL = 0.05  # of answers lie above the p95
_LEAST_RHO = 1e-4
_MOST_TERMS = 2000


class Score(NamedTuple):
    """Of each look: z (positive is odd), what it showed and should have, its spread.

    `actual` and `expected` are in the units of the kind: requests, USD, ln of a measure
    for means, a share for errors, slow answers, cached input and models. `n` is how many
    requests it rests on, `sd` the standard deviation of `actual`, in its units.
    """

    z: Array
    actual: Array
    expected: Array
    sd: Array
    n: Array


def z_of(p: Array) -> Array:
    """The z whose normal tail is p."""
    return -ndtri(np.clip(np.asarray(p, np.float64), 1e-300, 1 - 1e-12))


def _each(hourly: Array) -> Array:
    """What is known once an hour, beside each of its looks."""
    kind = hourly.dtype if hourly.dtype == np.bool_ else np.float32
    return hourly[:, :, None].astype(kind, copy=False)


def _counts(history: History, window: int) -> tuple[Score, Array, Array]:
    """More requests than expected; z of fewer; phi."""
    expected, n = history.requests(window), history.looks("n", window)
    lag = lag_of(window)
    beyond = history.week(np.square(n - expected) - expected, lag)
    phi = beyond / np.maximum(history.week(np.square(expected), lag), 1e-9)
    phi = _each(np.clip(phi, _FLOOR, _MOST_PHI) + history.doubt(lag))
    sd = np.sqrt(expected + phi * np.square(expected))
    high = (n - expected) / sd
    low = -high
    many = np.flatnonzero((high > _MATTERS) & (n > 0))
    few = np.flatnonzero(low > _MATTERS)
    np.put(high, many, z_of(_more(*_exact(many, n, expected, 1 / phi))))
    np.put(low, few, z_of(_fewer(*_exact(few, n, expected, 1 / phi))))
    _bound_bursts(history, window, phi, high, low)
    return Score(high, n, expected, sd, n), low, phi


def _exact(places: NDArray[np.intp], looks: Array, *arrays: Array) -> list[Array]:
    """Some looks of arrays, in double precision: tails need it.

    Args:
        places: in `looks`, taken flat.
        looks: by looks.
        arrays: by looks too, or by hours, or the same for all.
    """
    found = []
    for array in (looks, *arrays):
        here = places // (looks.size // array.size)
        found.append(array.reshape(-1)[here].astype(np.float64))
    return found


def _more(n: Array, mean: Array, k: Array) -> Array:
    """P(N > n) + P(N = n)/2 of a negative binomial with size k."""
    p = mean / (mean + k)
    return (betainc(n, k, p) + betainc(n + 1, k, p)) / 2


def _fewer(n: Array, mean: Array, k: Array) -> Array:
    """P(N < n) + P(N = n)/2; of silence its whole probability."""
    p = mean / (mean + k)
    here = betainc(np.maximum(n, 1), k, p)
    fewer = 1 - (here + betainc(n + 1, k, p)) / 2
    return np.where(n > 0, fewer, np.exp(-k * np.log1p(mean / k)))


def _bound_bursts(
    history: History, window: int, phi: Array, high: Array, low: Array
) -> None:
    """Traffic that comes on and goes off is judged by its ratios, which vary more."""
    expected, n = history.requests(window), history.looks("n", window)
    ratio = np.log((n + 0.5) / (expected + 0.5))
    noise = 1 / (expected + 0.5)
    told = (expected >= 3).astype(np.float64)
    lag = lag_of(window)
    told_n = history.week(told, lag)
    spread = history.week((ratio**2 - noise) * told, lag) / np.maximum(told_n, 1)
    spread = _each(np.where(told_n > 12, spread, 0))
    bursty = spread > 1.5 * np.log1p(phi) + 0.05
    bound = ratio / np.sqrt(np.maximum(spread, 0) + noise)
    np.copyto(high, np.minimum(high, bound), where=bursty)
    np.copyto(low, np.minimum(low, -bound), where=bursty)


def traffic_high(history: History, window: int) -> Score:
    """More requests than expected, where the week had a day's hours of them."""
    score, _, _ = _counts_once(history, window)
    z = np.where(_each(history.awake()), score.z, np.minimum(score.z, 0))
    return score._replace(z=z)


def traffic_low(history: History, window: int) -> Score:
    """Fewer requests than expected, or none."""
    score, low, _ = _counts_once(history, window)
    return score._replace(z=low)


def _counts_once(history: History, window: int) -> tuple[Score, Array, Array]:
    found: tuple[Score, Array, Array] = history._once(
        ("counts", window), lambda: _counts(history, window)
    )
    return found


def spend(history: History, window: int) -> Score:
    """More dollars than the expected requests would have cost."""
    requests, usd = history.requests(window), history.looks("cost_usd", window)
    lag = lag_of(window)
    n = np.maximum(history.week(history.hourly("n"), lag), 1)
    each, square = (
        _each(history.week(history.hourly(name), lag) / n)
        for name in ("cost_usd", "cost_squares")
    )
    mean, chance = requests * each, requests * square
    beyond = history.week((usd - mean) ** 2 - chance, lag)
    phi = beyond / np.maximum(history.week(np.square(mean), lag), _NOTHING)
    phi = _each(np.clip(phi, _FLOOR, _MOST_PHI) + history.doubt(lag))
    variance = chance + phi * np.square(mean)
    sd = np.sqrt(np.maximum(variance, _NOTHING))
    can = _each(history.awake()) & (mean > 0)
    z = (usd - mean) / sd * can
    much = np.flatnonzero(z > _MATTERS)
    spent, meant, spread = _exact(much, usd, mean, sd)
    rate = meant / np.square(spread)
    np.put(z, much, z_of(gammaincc(np.maximum(meant * rate, 1e-6), spent * rate)))
    return Score(z, usd, mean, sd, history.looks("n", window))


def _mean(
    history: History, name: str, window: int, floor: float = _FLOOR, of: str = ""
) -> Score:
    """A mean a request; z is positive where it is higher."""
    total, squares, count = f"{name}_sum", f"{name}_squares", f"{of or name}_n"
    lag = lag_of(window)
    if not history.grid.sums[total].any():  # as where no input was ever cached
        n = history.looks(count, window)
        nothing = np.zeros_like(n)
        return Score(nothing, nothing, nothing, nothing + 1, n)
    week_n = history.week(history.hourly(count), lag)
    some = np.maximum(week_n, 1)
    mean = history.week(history.hourly(total), lag) / some
    within = history.week(history.hourly(squares), lag) / some - np.square(mean)
    variance = _each(np.maximum(within, 1e-6))
    n, shown = history.looks(count, window), history.looks(total, window)
    upto = sums(_cells(history.level(total, count, lag)) * history.grid.sums[count])
    least = np.maximum(n, 1e-9)
    shown, expected = shown / least, history.over(upto, window) / least
    chance = variance / np.maximum(n, 1)
    weight = n / (1 + n / 30)
    beyond = history.week(((shown - expected) ** 2 - chance) * weight, lag)
    between = beyond / np.maximum(history.week(weight, lag), 1e-9)
    between = _each(np.maximum(between, floor))
    sd = np.sqrt(chance * (1 + n / _each(some)) + between)
    can = (n > 0) & _each(week_n >= _LEAST_REQUESTS)
    z = (shown - expected) / sd * can
    return Score(z, shown, expected, sd, n)


def _cells(hourly: Array) -> Array:
    return np.repeat(hourly, 12, axis=1)


def unit_cost(history: History, window: int) -> Score:
    """A successful request costs more."""
    return _mean(history, "unit_cost", window)


def latency(history: History, window: int) -> Score:
    """Answers take longer."""
    return _mean(history, "latency", window)


def prompt(history: History, window: int) -> Score:
    """Input is longer, or shorter."""
    score = _mean(history, "prompt", window)
    return score._replace(z=np.abs(score.z))


def answer(history: History, window: int) -> Score:
    """Answers are longer, or shorter."""
    score = _mean(history, "answer", window)
    return score._replace(z=np.abs(score.z))


def cache(history: History, window: int) -> Score:
    """Less of the input is cached."""
    score = _mean(history, "cache", window, _CACHE_FLOOR, of="prompt")
    return score._replace(z=-score.z)


def errors(history: History, window: int) -> Score:
    """More requests fail; this fires from a past without one."""
    events = history.looks("errors", window)
    n = history.looks("n", window)
    had, of = history.hourly("errors"), history.hourly("n")
    return _share(events, n, had, of, history.seen, lag_of(window))


def latency_tail(history: History, window: int) -> Score:
    """More answers are slower than the p95 of the seven days before."""
    events, n = history.looks("over", window), history.looks("ok", window)
    had, of = history.hourly("over"), history.hourly("ok")
    return _share(events, n, had, of, history.seen, lag_of(window), _TAIL)


def models(history: History, window: int) -> Score:
    """A model answers a larger share; one that was never seen is a share of zero."""
    pairs, every = model_shares(history, window)
    n = history.looks("n", window)
    nothing = np.zeros_like(n)
    if not len(pairs):
        return Score(nothing, nothing, nothing, nothing + 1, n)
    begin = np.flatnonzero(np.diff(pairs, prepend=-1))  # a series' models are together
    z = nothing.copy()
    z[pairs[begin]] = np.maximum(np.maximum.reduceat(every.z, begin), 0)
    best = Score(z, *(array.copy() for array in (nothing, nothing, nothing + 1, n)))
    for row, series in enumerate(pairs):
        # Only what may matter is told of; an earlier model comes before its like.
        here = (every.z[row] >= _MATTERS) & (every.z[row] == z[series])
        told = np.nonzero(here & (best.actual[series] == 0))
        for one, other in zip(best[1:4], every[1:4], strict=True):
            one[series][told] = other[row][told]
    return best


def model_shares(history: History, window: int) -> tuple[NDArray[np.int64], Score]:
    """The share of each model of a series that has several, and whose it is."""
    grid = history.grid
    owner = grid.owner
    if not len(owner):
        none = np.zeros((0, grid.span.hours, 1))
        return owner, Score(none, none, none, none, none)
    events = history.over(sums(grid.asked), window)
    n = history.looks("n", window)[owner]
    had = by_hour(grid.asked)
    of = history.hourly("n")[owner]
    return owner, _share(events, n, had, of, history.seen[owner], lag_of(window))


def _share(
    events: Array,
    n: Array,
    had: Array,
    of: Array,
    seen: Array,
    lag: int,
    usual: float | None = None,
) -> Score:
    """A share of requests; without a usual one, the week's, which may be zero."""
    of_week = past_week(of, seen, lag)
    share = (past_week(had, seen, lag) + 0.5) / (of_week + 1)
    p = _each(share) if usual is None else np.full((1, 1, 1), usual)
    q = p * (1 - p)
    beyond = past_week(together(np.square(events - n * p) - n * q), seen, lag)
    pairs = past_week(together(n * np.maximum(n - 1, 0) * q), seen, lag)
    rho = np.clip(_each(beyond / np.maximum(pairs, 1e-9)), _LEAST_RHO, 0.5)
    unsure = _each(1 / (of_week + 1)) if usual is None else 0.0
    precision = 1 / (rho / (1 - rho) + unsure)
    sd = np.sqrt(n * q * (1 + (n - 1).clip(0) * rho)) + _NOTHING
    z = np.minimum((events - n * p) / sd, _MATTERS)
    much = (events > n * p + _MATTERS * sd) & (events >= 1) & _each(of_week > 0)
    places = np.flatnonzero(much)
    x, of, p, precision = _exact(places, events, n, p, precision)
    np.put(z, places, z_of(_beta_binomial(x, of, p * precision, (1 - p) * precision)))
    z[~_each(of_week > 0) & (z > 0)] = 0
    some = np.maximum(n, 1)
    whole = np.broadcast_to(_each(share) if usual is None else usual, n.shape)
    return Score(z, events / some, whole, sd / some, n)


def _beta_binomial(x: Array, n: Array, a: Array, b: Array) -> Array:
    """P(X > x) + P(X = x)/2, added up term by term until terms say nothing more."""
    term = np.exp(
        *(
            gammaln(n + 1) - gammaln(x + 1) - gammaln(n - x + 1)
            + gammaln(x + a) + gammaln(n - x + b) - gammaln(n + a + b)
            + gammaln(a + b) - gammaln(a) - gammaln(b),
        )
    )  # fmt: skip
    total = term / 2
    going = np.arange(len(term))  # those whose terms still say something
    for _ in range(_MOST_TERMS):
        more = (x < n) & (term > 1e-9 * total[going])
        if not more.all():
            x, n, a, b, term, going = (v[more] for v in (x, n, a, b, term, going))
        if not len(going):
            break
        left = n - x
        term = term * (left * (x + a) / ((x + 1) * np.maximum(left - 1 + b, 1e-9)))
        x = x + 1
        total[going] += term
    return np.minimum(total, 1)


KINDS: dict[str, Callable[[History, int], Score]] = {
    "traffic_high": traffic_high,
    "traffic_low": traffic_low,
    "spend": spend,
    "unit_cost": unit_cost,
    "errors": errors,
    "latency": latency,
    "latency_tail": latency_tail,
    "prompt": prompt,
    "answer": answer,
    "cache": cache,
    "models": models,
}
"""The eleven kinds, and how each is scored."""

LOGARITHMIC = ("unit_cost", "latency", "prompt", "answer")
"""Kinds whose `actual` and `expected` are logarithms."""

_LEAST_RATIO = {"traffic_high": 1.2, "spend": 1.2, "latency": 1.15}
_LEAST_RATIO |= {"unit_cost": 1.1, "prompt": 1.1, "answer": 1.1, "latency_tail": 1.2}
_LEAST_POINTS = {"errors": 0.005, "models": 0.01, "cache": 0.05}
_LEAST_N = 5
_LEAST_EVENTS = {"errors": 2, "models": 3, "latency_tail": 3}


def matters(kind: str, score: Score) -> NDArray[np.bool_]:
    """Where a difference is large enough that somebody would want to hear of it.

    A fifth of traffic or spend, 15 % of latency, a tenth of other means, half a point of
    errors, a point of a model's share, five of cached input. And never of fewer than 5
    requests, 2 failures, or 3 that were slow or had that model; silence has none.
    """
    actual, expected = score.actual, score.expected
    if kind == "traffic_low":
        return actual <= 0.8 * expected
    if kind in LOGARITHMIC:
        far = np.abs(actual - expected) >= np.log(_LEAST_RATIO[kind])
    elif kind in _LEAST_POINTS:
        far = np.abs(actual - expected) >= _LEAST_POINTS[kind]
    else:
        far = actual >= _LEAST_RATIO[kind] * expected
    if kind in _LEAST_EVENTS:
        return far & (actual * score.n >= _LEAST_EVENTS[kind] - 0.5)
    return far & (score.n >= _LEAST_N)

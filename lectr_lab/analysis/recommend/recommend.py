"""For each feature, task and model: would a cheaper model do, and what would it save?

From the log alone, and so without a word on quality: that is for `evidence`. What a
task or the traffic's shape says of a smaller model is `judgement`; what a target can
take, `candidates`; what it would have cost, `reprice`. This module puts them together,
and is the one place where a recommendation is made.
"""

from collections.abc import Container, Iterable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import polars as pl

from lectr_lab.analysis.given_log import Log
from lectr_lab.analysis.log import ranked
from lectr_lab.analysis.monthly import (
    LEAST_DAYS,
    Monthly,
    monthly,
    seen_span,
)
from lectr_lab.analysis.pricing.price_file import read_prices
from lectr_lab.analysis.recommend.all_rows import AllRows, log_of, looked_at_all
from lectr_lab.analysis.recommend.candidates import (
    Candidate,
    Option,
    candidate,
    catalog_name,
    place_of,
    with_chains,
)
from lectr_lab.analysis.recommend.judgement import Group, Judgement, looked_at
from lectr_lab.analysis.recommend.many_rows import ManyRows, many_rows
from lectr_lab.analysis.recommend.reasons import (
    chain_reasons,
    ending_reasons,
    price_reasons,
    target_reasons,
    traffic_reasons,
)
from lectr_lab.analysis.recommend.result import PassedOver, Recommendations
from lectr_lab.analysis.recommend.signals import KEYS
from lectr_lab.analysis.views import rows
from lectr_lab.core import formatting
from lectr_lab.core.pricing.price import PriceList
from lectr_lab.core.recommendation import Confidence, Recommendation, is_protected
from lectr_lab.waiting import waiting

LEAST_SAVED = 0.1
"""A change of model is work and a risk: for less than this share it is not proposed."""

MOST_JUDGED = 2000
"""Groups, the dearest: a user's id as the feature makes a million, each worth nothing."""

_CHANGES = {
    **dict.fromkeys([*KEYS, "to_model"], pl.String()),
    "reasons_anew": pl.Boolean(),
}


class _Costs(NamedTuple):
    """What one change would have cost, by day (UTC), in USD."""

    days: tuple[date, ...]
    from_usd: tuple[float, ...]
    to_usd: tuple[float, ...]
    unpriced: int  # requests that the target has no price for
    seen_days: int  # with traffic of the group, priced or not


_Span = tuple[date, date] | None


@waiting("Looking for smaller models")
def recommend(
    log: Log,
    *,
    org: str | None = None,
    now: datetime | None = None,
    prices: PriceList | Path | str | None = None,
) -> Recommendations:
    """Cheaper models for the traffic of a log, each with its reasons.

    A task declared as `reasoning` is never among them. Neither is a target that is
    dearer on this very traffic, unpriced, retired within a month, or not known to take
    what the traffic uses. One that retires within 90 days is named only where no other
    is as sure: it says so first, and stands behind all others. Where a target's own
    traffic is to move on, so is what would go to it: no chain is left. Quality is not measured here; see `evidence`.
    Of a log of more than 10 million rows the sums are of all, and what requests look like
    is told by its newest days, up to a million rows; the reasons say of how many.

    Args:
        log: events with `cost_usd`, as `scan` gives them.
        org: one org alone.
        now: the day of the change, for prices and retirements; without it, the last
            day of the log.
        prices: the user's own prices, or the file that has them, as given to `scan`;
            they hold for targets too.

    Returns:
        One `Recommendation` at most per org, feature, task and model, the largest
        saving first, those that will not last behind; of many, the 2,000 dearest are judged. `.notes` says what was
        passed over, `.frame()` is a table. The
        saving is in USD per 30 days; None, like its interval, under 7 days of traffic.

    >>> import lectr_lab as lectr
    >>> log = lectr.demo_log()
    >>> advice = recommend(log)
    >>> lectr.table(advice.frame().select("feature", "from_model", "to_model", "saving_usd_month").head(2))
    feature        from model          to model               saving a month
    report-writer  gpt-5.4-2026-03-05  gpt-5.4-mini                   $19.30
    document-qa    gemini-3.8-flash    gemini-3.5-flash-lite           $7.47
    """
    own = read_prices(prices) if isinstance(prices, Path | str) else prices
    given = log_of(log, own, org)
    seen = looked_at_all(given) if ranked(given) == "exact" else many_rows(given)
    groups, edges = seen.groups, seen.edges
    if groups.is_empty():
        return Recommendations(unsaid=_unsaid(given.lazy()))
    today = max(edges["day"].to_list()) if now is None else now.date()
    dearest = groups.sort(
        "spend_usd", *KEYS, descending=[True] + [False] * len(KEYS), nulls_last=True
    )
    judged, left = dearest.head(MOST_JUDGED), dearest.slice(MOST_JUDGED)
    found = judged.sort(KEYS, nulls_last=True).to_dicts()
    protected = _protected(groups)
    alone = [candidate(g, today) for g in _beside_reasoning(found, protected)]
    candidates = with_chains(alone, today)
    costs = _costs(seen, candidates, today, own)
    spans = {key[0]: seen_span(part) for key, part in edges.group_by("org")}
    decided = [
        _decided(one, option, why, costs, spans[one.group["org"]])
        for one, (option, why) in zip(
            candidates, _chosen(candidates, costs), strict=True
        )
    ]
    unjudged = (left.height, int(left["requests"].sum()))
    return msgspec.structs.replace(_sorted(decided), unjudged=unjudged)


def _unsaid(log: pl.LazyFrame) -> int:
    """Requests that do not say what kind of call they were, or how they ended."""
    silent = pl.any_horizontal(pl.col("operation", "outcome").is_null())
    return int(log.select((rows.is_request() & silent).sum()).collect().item())


def _protected(groups: pl.DataFrame) -> set[tuple[str, str | None]]:
    """The features, each with its org, some of whose requests are protected."""
    tasks = [task for task in groups["task"].unique() if is_protected(task)]
    found = groups.filter(pl.col("task").is_in(tasks)).select("org", "feature")
    return set(found.iter_rows())


def _beside_reasoning(
    groups: Sequence[Group], protected: Container[tuple[str, str | None]]
) -> Iterable[Group]:
    """Groups that know whether other requests of their feature are protected."""
    for group in groups:
        is_protected_too = (group["org"], group["feature"]) in protected
        yield group | {
            "beside_reasoning": is_protected_too and group["feature"] is not None
        }


def _costs(
    seen: AllRows | ManyRows,
    candidates: Sequence[Candidate],
    today: date,
    prices: PriceList | None,
) -> dict[tuple[Any, ...], _Costs]:
    """By the keys of a group and the target's name."""
    wanted = [
        (*_key(candidate.group), option.target.model.name, option.anew)
        for candidate in candidates
        for option in candidate.options
    ]
    if not wanted:
        return {}
    changes = pl.DataFrame(wanted, schema=_CHANGES, orient="row")
    found = seen.repriced(changes, today, prices)
    return {
        key: _Costs(
            tuple(part["day"].to_list()),
            tuple(part["from_usd"].to_list()),
            tuple(part["to_usd"].to_list()),
            int(part["unpriced"].sum()),
            part["days"][0],
        )
        for key, part in found.group_by(*KEYS, "to_model", maintain_order=True)
    }


def _key(group: Group) -> tuple[Any, ...]:
    return tuple(group[key] for key in KEYS)


_Choice = tuple[Option | None, tuple[str, ...]]


def _chosen(
    candidates: Sequence[Candidate], costs: dict[tuple[Any, ...], _Costs]
) -> list[_Choice]:
    """The option of each candidate, at the end of its chain; else why there is none."""
    first = [_first(candidate, costs) for candidate in candidates]
    at = {
        (place_of(one.group), catalog_name(one.group)): option
        for one, (option, _) in zip(candidates, first, strict=True)
        if option is not None
    }
    found = []
    for one, (option, why) in zip(candidates, first, strict=True):
        while option is not None:
            then = at.get((place_of(one.group), option.target.model.name))
            further = then and _further(one, option, then, costs)
            if further is None:
                break
            option = further
        found.append((option, why))
    return found


def _first(candidate: Candidate, costs: dict[tuple[Any, ...], _Costs]) -> _Choice:
    """The first target that saves something; else why there is none."""
    why = list(candidate.refused)
    for option in candidate.options:
        if option.by_way:
            continue
        name = option.target.model.name
        cost = costs.get((*_key(candidate.group), name))
        reason = _no_saving(name, cost)
        if reason is None:
            return option, ()
        why.append(reason)
    return None, tuple(why)


def _further(
    candidate: Candidate,
    option: Option,
    then: Option,
    costs: dict[tuple[Any, ...], _Costs],
) -> Option | None:
    """The option where the target's own traffic goes, if this one can, and for less."""
    name = then.target.model.name
    for further in candidate.options:
        if further.target.model.name != name or not further.by_way:
            continue
        near, far = (
            costs.get((*_key(candidate.group), one.target.model.name))
            for one in (option, further)
        )
        less_sure = further.anew and not option.anew
        if near and far and not less_sure and _no_saving(name, far) is None:
            return further if sum(far.to_usd) < sum(near.to_usd) else None
    return None


def _decided(
    candidate: Candidate,
    option: Option | None,
    why: tuple[str, ...],
    costs: dict[tuple[Any, ...], _Costs],
    span: _Span,
) -> Recommendation | PassedOver:
    """What is recommended for a group; else what kind of reason there is not to."""
    group, judgement, options, refused = candidate
    if not looked_at(group):
        return _passed(group, "not among the newest requests", judgement.reasons)
    if judgement.confidence is None:
        return _passed(group, "the work does not look simple", judgement.reasons)
    if not options and not refused:
        return _passed(group, "no smaller model is known", ())
    if not group["priced"]:
        return _passed(group, "what it costs is not known", ())
    if option is not None:
        cost = costs[(*_key(group), option.target.model.name)]
        made = _recommendation(candidate, option, cost, span)
        if made is not None:
            return made
    kind = "no smaller model fits" if not options else "no smaller model saves enough"
    return _passed(group, kind, why)


def _no_saving(name: str, cost: _Costs | None) -> str | None:
    if cost is None or cost.unpriced:
        n = formatting.count(cost.unpriced if cost else None)
        return f"{name} has no known price for {n} of the requests"
    from_usd, to_usd = sum(cost.from_usd), sum(cost.to_usd)
    if to_usd > (1 - LEAST_SAVED) * from_usd or from_usd <= 0:
        change = f"{formatting.usd(to_usd)} in place of {formatting.usd(from_usd)}"
        return f"{name} would cost {change}"
    return None


def _passed(group: Group, kind: str, why: tuple[str, ...]) -> PassedOver:
    if is_protected(group["task"]):
        kind, why = "declared as reasoning, which is never changed", ()
    return PassedOver(
        org=group["org"],
        feature=group["feature"],
        task=group["task"],
        provider=group["provider"],
        model=group["model"],
        requests=group["requests"],
        kind=kind,
        why=why,
        asked_for=tuple(group["asked_for"]),
    )


def _recommendation(
    candidate: Candidate, option: Option, cost: _Costs, span: _Span
) -> Recommendation | None:
    """Every recommendation is made here, and none for a task that is protected."""
    group, judgement = candidate.group, candidate.judgement
    if is_protected(group["task"]):
        return None
    month = None if option.anew else _saving(cost, span)
    return Recommendation(
        org=group["org"],
        feature=group["feature"],
        task=group["task"],
        provider=group["provider"],
        from_model=group["model"],
        to_model=option.target.model.name,
        confidence=_confidence(judgement, option),
        reasons=_reasons(candidate, option, cost, month),
        requests=group["requests"],
        days=cost.seen_days,
        spend_usd=group["spend_usd"],
        saving_usd_month=month and month.mean_usd_month,
        saving_interval=month and month.interval,
        asked_for=tuple(group["asked_for"]),
        to_retires_on=option.ends_on,
    )


def _confidence(judgement: Judgement, option: Option) -> Confidence:
    """Less where the target reasons anew: what it then costs is not known."""
    if not option.anew:
        return judgement.confidence or "low"
    return "medium" if judgement.confidence == "high" else "low"


def _saving(cost: _Costs, span: _Span) -> Monthly | None:
    """By whole days, from the group's first to the log's last; none under a week."""
    if span is None or cost.seen_days < LEAST_DAYS:
        return None
    saved = {
        day: paid - would
        for day, paid, would in zip(cost.days, cost.from_usd, cost.to_usd, strict=True)
    }
    first = max(span[0], min(saved))
    n = (span[1] - first).days + 1
    return monthly([saved.get(first + timedelta(days=i), 0.0) for i in range(n)])


def _reasons(
    candidate: Candidate, option: Option, cost: _Costs, month: Monthly | None
) -> tuple[str, ...]:
    group = candidate.group
    found = [*ending_reasons(option, candidate.options)]
    found += [*candidate.judgement.reasons, *traffic_reasons(group)]
    found += [
        reason
        for target in (*option.by_way, option.target)
        for reason in target_reasons(group, target)
    ]
    found += chain_reasons(option)
    found.append(
        price_reasons(option.target, sum(cost.from_usd), sum(cost.to_usd), option.anew)
    )
    if group["priced"] < group["requests"]:
        left = formatting.count(group["requests"] - group["priced"])
        found.append(f"{left} requests whose cost is not known save nothing here")
    if month is None and not option.anew:
        found.append(f"no saving a month from less than {LEAST_DAYS} whole days")
    return tuple(dict.fromkeys(found))


def _sorted(decided: Iterable[Recommendation | PassedOver]) -> Recommendations:
    made, passed = [], []
    for one in decided:
        if isinstance(one, Recommendation):
            made.append(one)
        else:
            passed.append(one)
    made.sort(
        key=lambda r: (
            r.to_retires_on is not None,
            -(r.saving_usd_month or 0.0),
            -r.spend_usd,
        )
    )
    return Recommendations(tuple(made), tuple(passed))

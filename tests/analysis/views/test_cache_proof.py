"""Sessions against a provider whose cache is known to the token: the cause named is the
one there was, and the dollars are those of the tokens missed, to the last cent."""

import asyncio
import math
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import polars as pl
import pytest
from prefix_provider import VENDORS, Asked, Session, Vendor

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.views.cache import cache, cache_losses
from lectr_lab.analysis.views.cache_misses import CAUSES, PARTS, with_misses
from lectr_lab.core.event import Event
from lectr_lab.core.exchange import Exchange
from lectr_lab.core.headers import read_headers
from lectr_lab.core.ids import event_id
from lectr_lab.core.keys import KeyEntry
from lectr_lab.core.llm_api.request import read_request
from lectr_lab.core.pricing.price import PriceQuery, find_price
from lectr_lab.core.routing.providers import ResolvedProvider
from lectr_lab.log.schema import frame
from lectr_lab.proxy.observers import prefix_watch
from lectr_lab.proxy.observers.observer import Observers
from lectr_lab.proxy.observers.prefix_watch import PrefixWatch
from lectr_lab.testing.recorded_proxy import Box

START = datetime(2026, 11, 2, tzinfo=UTC)
KEY = KeyEntry(key_id="k", org="acme", digest="", created_at=START)
TURNS = 12


class Played(NamedTuple):
    """What was asked, and what the log says of it."""

    asked: list[tuple[Vendor, Asked]]
    events: list[Event]


async def _play(sessions: int) -> Played:
    """All sessions, through the proxy's own readers, observer and columns."""
    box, now_s = Box(), [0.0]
    watch = PrefixWatch(Observers(box), lambda: now_s[0])
    watch.start()
    asked = []
    vendors = list(VENDORS.items())
    for number in range(sessions):
        name, vendor = vendors[number % len(vendors)]
        for one in Session(vendor, number).play(TURNS):
            asked.append((vendor, one))
            _pass(watch, f"{name}-{number}", vendor, one, now_s)
            while len(box.events) < len(asked):
                await asyncio.sleep(0)
    await watch.stop()
    return Played(asked, box.events)


def _pass(
    watch: PrefixWatch, session: str, vendor: Vendor, one: Asked, now_s: list[float]
) -> None:
    """One request, as the relay tells of it."""
    at_s = now_s[0] = one.at_s
    headers = [(b"x-lectr-session", session.encode())]
    exchange = Exchange(
        event_id=event_id(int(at_s * 1000), 0),
        started_at=START + timedelta(seconds=at_s),
        started_s=at_s,
        raw_path=one.path,
        client_headers=read_headers(headers, {}),
        key=KEY,
        headers=headers,
    )
    target = ResolvedProvider(vendor.provider, "path")
    facts = read_request(one.body, exchange.operation)
    exchange.received(facts, len(one.body), at_s)
    exchange.ruled(target, target, one.model, None, None)
    with memoryview(one.body) as lent:
        watch.begin(exchange, lent)
    exchange.sent_to(target, at_s)
    now_s[0] = at_s + 1
    exchange.answered(200, [(b"content-type", b"application/json")], at_s + 1)
    exchange.passed_on(at_s + 1)
    exchange.passed_whole()
    exchange.chunk(one.reply, at_s + 1)
    watch.ended(exchange.ended("ok", at_s + 1))


def _usd_per_token(vendor: Vendor, model: str, asked: Asked, tokens: int) -> float:
    """What one more token read would have saved, by the price list."""
    query = PriceQuery(vendor.provider, model, None, None, None, START)
    found = find_price(query)
    assert found is not None
    price = found.price

    def usd(rate: Any) -> float:
        return float(getattr(rate, "base", rate)) / 1e6

    paid = usd(price.input_mtok)
    wrote = vendor.charges_writes and vendor.marks != "none"
    if wrote and tokens >= vendor.least:
        hourly = vendor.marks == "1h"
        paid = usd(price.cache_write_1h_mtok if hourly else price.cache_write_mtok)
    return paid - usd(price.cache_read_mtok)


def _truth(played: Played) -> Iterator[tuple[str, float]]:
    for (vendor, one), event in zip(played.asked, played.events, strict=True):
        if one.cause is not None:
            each = _usd_per_token(vendor, one.model, one, event.input_tokens or 0)
            yield one.cause, each * one.missed_tokens


def _named(log: pl.LazyFrame) -> list[str | None]:
    """Of each row, the cause of most of what it missed."""
    rows = with_misses(log).collect()
    named = []
    for row in rows.iter_rows(named=True):
        by_cause: Counter[str] = Counter()
        for part in PARTS:
            by_cause[row[f"{part}_cause"]] += row[f"missed_{part}"]
        [(cause, tokens)] = by_cause.most_common(1)
        named.append(cause if tokens > 0.005 * row["input_tokens"] else None)
    return named


def _prove(played: Played) -> None:
    log = frame(played.events).lazy()
    named = _named(log)
    true = [one.cause for _, one in played.asked]
    wrong = [(t, n) for t, n in zip(true, named, strict=True) if t != n]

    assert len(wrong) <= 0.01 * len(true), Counter(wrong)
    assert {*CAUSES} == {*true} - {None}

    usd: dict[str, float] = dict.fromkeys(CAUSES, 0.0)
    for cause, lost in _truth(played):
        usd[cause] += lost
    [told] = cache(priced(log), None).collect().to_dicts()
    found = {cause: told[f"lost_to_{cause}_usd"] or 0.0 for cause in CAUSES}
    assert {c: round(found[c] - usd[c], 2) for c in CAUSES} == dict.fromkeys(CAUSES, 0)
    assert math.isclose(sum(found.values()), told["lost_usd"], abs_tol=1e-9)
    losses = cache_losses(priced(log)).collect()
    assert math.isclose(losses["lost_usd"].sum(), told["lost_usd"], abs_tol=1e-9)


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A busy machine is slow to run a thread."""
    monkeypatch.setattr(prefix_watch, "WITHIN_S", 60.0)


def test_a_hundred_sessions():
    """Of all vendors."""
    _prove(asyncio.run(_play(100)))


@pytest.mark.slow
def test_a_thousand_sessions():
    """The same, ten times over."""
    _prove(asyncio.run(_play(1000)))

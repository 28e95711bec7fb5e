"""What one request costs."""

import json
import socket
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import polars as pl
import pytest
from genai_prices import Usage, calc_price, extract_usage

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.core.event import Event
from lectr_lab.core.pricing.price import (
    MOST_COUNTED,
    USAGE_KEYS,
    PriceQuery,
    UserPrice,
    find_price,
    price_event,
)
from lectr_lab.log.schema import frame

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
OURS = {"openai": "openai", "anthropic": "anthropic", "groq": "groq"}
OURS |= {"google": "gemini", "azure": "azure"}
HOSTS = {"azure.com": "azure", "openai.com": "openai", "anthropic.com": "anthropic"}
HOSTS |= {"groq.com": "groq", "googleapis.com": "gemini"}


def an_event(**fields: Any) -> Event:
    defaults: dict[str, Any] = {
        "event_id": bytes(16),
        "started_at": NOON,
        "org": "local",
        "path": "/v1/chat/completions",
        "operation": "chat",
        "outcome": "ok",
        "total_ms": 1.0,
        "provider": "openai",
        "model_actual": "gpt-4o-mini-2024-07-18",
        "input_tokens": 1000,
        "output_tokens": 500,
    }
    return Event(**(defaults | fields))


def test_cached_tokens_are_billed_at_the_cached_price():
    """Half price for what was read from the cache, and only for that."""
    event = an_event(cache_read_tokens=400)

    expected = (
        Decimal("0.15") * 600 + Decimal("0.075") * 400 + Decimal("0.6") * 500
    ) / 10**6

    assert price_event(event) == expected


def test_reasoning_is_part_of_the_output():
    """Reasoning tokens are in output_tokens already and are not billed again."""
    plain = an_event(model_actual="o4-mini-2025-04-16")

    assert price_event(msgspec.structs.replace(plain, reasoning_tokens=300)) == (
        price_event(plain)
    )


@pytest.mark.parametrize(
    "write_1h, usd", [(None, "0.00375"), (0, "0.00375"), (1000, "0.006")]
)
def test_cache_writes_cost_more_for_an_hour(write_1h, usd):
    """Anthropic bills 1.25 times the input price for 5 minutes, twice for an hour."""
    event = an_event(
        provider="anthropic",
        model_actual="claude-sonnet-4-5-20250929",
        cache_write_tokens=1000,
        cache_write_1h_tokens=write_1h,
        output_tokens=0,
    )

    assert price_event(event) == Decimal(usd)


def test_a_long_prompt_reaches_the_next_tier():
    """Past 200,000 input tokens every token of the request costs more."""
    short = an_event(
        provider="gemini", model_actual="gemini-2.5-pro", input_tokens=200_000
    )
    long = msgspec.structs.replace(short, input_tokens=200_001)

    assert price_event(long) > price_event(short) * Decimal("1.9")


def test_the_price_is_the_one_of_its_day():
    """A request is billed at the price in force when it was made."""
    o3 = an_event(
        model_actual="o3-2025-04-16", started_at=datetime(2025, 5, 1, tzinfo=UTC)
    )
    later = msgspec.structs.replace(o3, started_at=NOON)

    assert price_event(o3) == price_event(later) * 5  # cut by 80 % in June 2025


@pytest.mark.parametrize(
    "fields",
    [
        {"model_actual": "nobody-knows-this"},
        {"model_actual": None},
        {"provider": None},
        {"provider": "somebody"},
        {"input_tokens": None},
        {"cache_read_tokens": 1001},
        {"input_tokens": -1},
        {"input_tokens": MOST_COUNTED + 1},
        {"model_actual": "whisper-1"},
    ],
)
def test_what_is_not_known_has_no_cost(fields):
    """None, never 0: no price, no count, or counts that contradict each other."""
    assert price_event(an_event(**fields)) is None


@pytest.mark.parametrize(
    "names", [("m", None, None), (None, "m", None), (None, None, "m")]
)
def test_the_model_that_answered_is_priced_and_else_the_one_asked(names):
    """model_actual, falling back to model_sent, then to model_requested."""
    actual, sent, requested = ("gpt-4o-mini" if n else None for n in names)
    event = an_event(model_actual=actual, model_sent=sent, model_requested=requested)

    assert price_event(event) == Decimal("0.00045")


def test_azure_and_gemini_are_found_under_their_list_names():
    """Our provider names are not the price list's."""
    azure = an_event(provider="azure", model_actual="gpt-4o-2024-08-06")
    gemini = an_event(provider="gemini", model_actual="gemini-2.5-flash")

    assert price_event(azure) == price_event(an_event(model_actual="gpt-4o-2024-08-06"))
    assert price_event(gemini) == Decimal("0.00155")


def test_a_service_tier_has_its_own_price():
    """Flex is half of the standard price, where the list has it."""
    plain = an_event(model_actual="gpt-5-mini")
    flex = msgspec.structs.replace(plain, service_tier="flex")

    assert price_event(flex) * 2 == price_event(plain)


def test_fast_mode_is_a_tier_under_another_name():
    """The list has it as a speed; a model that it has none for has no price."""
    plain = an_event(provider="anthropic", model_actual="claude-opus-4-8")
    fast = msgspec.structs.replace(plain, service_tier="fast")
    older = msgspec.structs.replace(fast, model_actual="claude-opus-4-1")

    assert price_event(fast) == 2 * price_event(plain)
    assert price_event(older) is None


def test_the_users_price_goes_before_the_list():
    """The first entry that fits wins, and only where it fits, in any case of letters."""
    mine = UserPrice(
        model="GPT-4o-mini*",
        provider="Azure",
        input_usd_per_mtok=Decimal(1),
        output_usd_per_mtok=Decimal(2),
    )
    free = UserPrice(
        model="*", input_usd_per_mtok=Decimal(0), output_usd_per_mtok=Decimal(0)
    )

    assert price_event(an_event(provider="azure"), (mine, free)) == Decimal("0.002")
    assert price_event(an_event(), (mine,)) == Decimal("0.00045")
    assert price_event(an_event(), (mine, free)) == 0


def test_a_deployment_is_found_by_the_name_it_was_asked_by():
    """On Azure the client names a deployment, and the reply names the model."""
    mine = UserPrice(
        model="our-deployment",
        input_usd_per_mtok=Decimal(1),
        output_usd_per_mtok=Decimal(1),
    )
    event = an_event(provider="azure", model_requested="Our-Deployment")

    assert price_event(event, (mine,)) == Decimal("0.0015")


def test_the_price_of_what_was_asked_is_not_that_of_what_a_rule_sent():
    """A rule's cheaper model has its own price, though the client named another."""
    mine = UserPrice(
        model="gpt-4o", input_usd_per_mtok=Decimal(99), output_usd_per_mtok=Decimal(99)
    )
    names = {"model_sent": "gpt-4o-mini", "model_actual": "gpt-4o-mini-2024-07-18"}
    plain = an_event(model_requested="gpt-4o-mini", **names)
    moved = an_event(model_requested="gpt-4o", rule="cheaper", **names)

    assert price_event(moved, (mine,)) == price_event(plain) != 0


@pytest.mark.parametrize("day, fits", [(30, False), (31, True), (1, True), (2, False)])
def test_a_users_price_holds_from_its_first_day_to_its_last(day, fits):
    """Both days are included, in UTC."""
    mine = UserPrice(
        model="*",
        input_usd_per_mtok=Decimal(1),
        output_usd_per_mtok=Decimal(1),
        first_day=date(2026, 10, 31),
        last_day=date(2026, 11, 1),
    )
    month = 10 if day > 29 else 11
    asked = PriceQuery(
        "groq", "x", None, None, None, datetime(2026, month, day, 23, tzinfo=UTC)
    )

    assert (find_price(asked, (mine,)) is not None) == fits


def test_prices_come_from_no_network(monkeypatch):
    """The list travels with the package."""

    def refuse(*args: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)

    assert price_event(an_event(model_actual="gpt-4.1-nano")) is not None


def test_every_real_usage_body_is_priced_as_the_list_prices_it(shared):
    """What the list's own call says of a provider's whole usage block, we say too."""
    bodies = pl.read_parquet(shared / "datasets/prices/usage_costs.parquet")
    priced = set()
    for row in bodies.filter(pl.col("provider_id").is_in(list(OURS))).to_dicts():
        body = json.loads(row["body_json"])
        try:
            listed = extract_usage(
                body, provider_id=row["provider_id"], api_flavor=row["api_flavor"]
            )
            expected = listed.calc_price(genai_request_timestamp=NOON).total_price
        except (LookupError, ValueError):  # another provider's body
            continue
        event = an_event(
            provider=OURS[row["provider_id"]],
            model_actual=body.get("model") or body.get("modelVersion"),
            **{c: _reported(listed.usage, key) for c, key in USAGE_KEYS.items()},
        )

        # Sound that the list takes for text, and fees for searches that it leaves out.
        unknown = (
            "audio-preview" in str(event.model_actual) and event.input_audio_tokens
        )
        if not unknown and "search-preview" not in str(event.model_actual):
            assert price_event(event) == expected
            priced.add(row["body_id"])

    assert len(priced) > 500


def test_every_recorded_reply_is_priced_as_the_list_prices_it(recordings):
    """Read as the proxy reads it; one by one, and over a frame, to the last bit."""
    events = [e for e in map(_recorded, recordings) if e is not None]

    exact = [price_event(e) for e in events]
    costs = priced(frame(events).lazy()).collect()["cost_usd"].to_list()

    unlike = {
        (event.model_actual, cost, event.other_tool_calls or 0, event.web_searches or 0)
        for event, cost in zip(events, exact, strict=True)
        if cost != _listed_usd(event)
    }
    assert unlike == UNLIKE
    assert costs == [None if usd is None else float(usd) for usd in exact]
    assert sum(usd is not None for usd in exact) > 90


# Advice of another model, at a price of its own, which the list leaves out.
UNLIKE = {("claude-sonnet-5", None, 1, 0)}


def _recorded(recording) -> Event | None:
    provider = next((p for host, p in HOSTS.items() if host in recording.host), None)
    if provider is None or recording.operation == "other":
        return None
    reader = recording.reader()
    reader.feed(recording.body)
    facts = msgspec.structs.asdict(reader.finish())
    known = {k: v for k, v in facts.items() if k in Event.__struct_fields__}
    return an_event(**known | {"provider": provider, "operation": recording.operation})


def _listed_usd(event: Event) -> Decimal | None:
    """The list's own call, past all of our code."""
    counts = {key: getattr(event, column) for column, key in USAGE_KEYS.items()}
    if event.input_tokens is None or event.model_actual is None:
        return None
    names = {ours: theirs for theirs, ours in OURS.items()}
    try:
        return calc_price(
            Usage(**counts),
            event.model_actual,
            provider_id=names[event.provider],
            genai_request_timestamp=event.started_at,
        ).total_price
    except (LookupError, ValueError):
        return None


def _reported(usage: Usage, key: str) -> int | None:
    return vars(usage).get(key)

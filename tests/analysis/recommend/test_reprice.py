"""What a log's requests would have cost with other models, against the scalar price."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.analysis.lab_rows import counted_log
from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.recommend.reprice import REASONING_TIMES, repriced
from lectr_lab.analysis.recommend.signals import KEYS
from lectr_lab.core.pricing.price import UserPrice, price_event

START = datetime(2026, 9, 20, 3, 30, tzinfo=UTC)
TODAY = date(2026, 11, 24)
PAIRS = [
    ("openai", "gpt-4o-2024-08-06", "gpt-4o-mini"),
    ("openai", "gpt-5.4", "gpt-6-luna"),
    ("azure", "gpt-5.4-2026-03-05", "gpt-5.4-mini"),
    ("anthropic", "claude-sonnet-5-5", "claude-haiku-5-5"),
    ("gemini", "gemini-2.5-pro", "gemini-2.5-flash"),
    ("groq", "openai/gpt-oss-120b", "openai/gpt-oss-20b"),
]


def changed(provider, model, to_model, anew=False):
    row = ("local", None, None, provider, model, to_model, anew)
    schema = [*KEYS, "to_model", "reasons_anew"]
    kinds = dict.fromkeys(schema, pl.String) | {"reasons_anew": pl.Boolean}
    return pl.DataFrame([row], schema=kinds, orient="row")


def scalar_usd(event, to_model=None, at=None, times=1):
    """The exact price of one event, as another model and at another time."""
    fields = {"started_at": at or event.started_at}
    if to_model is not None:
        names = ("model_actual", "model_sent", "model_requested")
        fields |= dict.fromkeys(names, to_model)
        fields |= {"output_tokens": event.output_tokens * times}
    return price_event(msgspec.structs.replace(event, **fields))


@st.composite
def requests(draw):
    pair = draw(st.sampled_from(PAIRS))
    n = draw(st.integers(1, 12))
    found = []
    for _ in range(n):
        tokens = draw(st.integers(1, 300_000))
        cached = draw(st.none() | st.integers(0, tokens))
        found.append(
            {
                "started_at": START + timedelta(hours=draw(st.integers(0, 24 * 40))),
                "provider": pair[0],
                "model_requested": pair[1],
                "model_sent": pair[1],
                "model_actual": pair[1],
                "input_tokens": tokens,
                "output_tokens": draw(st.integers(0, 9_000)),
                "cache_read_tokens": cached,
                "service_tier": draw(
                    st.sampled_from([None, "default", "flex", "batch"])
                ),
            }
        )
    return pair, found


@settings(max_examples=30)
@given(made=requests(), anew=st.booleans())
def test_each_row_is_priced_as_the_scalar_prices_it(made, anew, log_of, event):
    """The lower of then and now for what is there, the dearer for what would come."""
    (_, _, to_model), changes = made
    events = [event(**change) for change in changes]
    times = REASONING_TIMES if anew else 1

    found = repriced(
        priced(log_of(events)), changed(*made[0], anew), TODAY, None
    ).collect()

    paid, would, unpriced = Decimal(0), Decimal(0), 0
    for e in events:
        today = datetime.combine(TODAY, e.started_at.time(), UTC)
        then, now = scalar_usd(e), scalar_usd(e, at=today)
        to_then = scalar_usd(e, to_model, times=times)
        to_now = scalar_usd(e, to_model, today, times)
        if then is None:
            continue
        if to_now is None:
            unpriced += 1
            continue
        paid += min(then, then if now is None else now)
        would += max(to_now, to_now if to_then is None else to_then)
    assert found["from_usd"].sum() == pytest.approx(float(paid))
    assert found["to_usd"].sum() == pytest.approx(float(would))
    assert found["unpriced"].sum() == unpriced


def test_a_users_price_is_not_held_against_the_list(log_of, event):
    """Negotiated and dearer than the list, or cheaper: it is what was paid."""
    own = (
        UserPrice(
            model="gpt-4o-2024*",
            input_usd_per_mtok=Decimal(5),
            output_usd_per_mtok=Decimal(20),
        ),
    )
    models = dict.fromkeys(
        ("model_actual", "model_sent", "model_requested"), "gpt-4o-2024-08-06"
    )
    log = priced(log_of([event(**models, input_tokens=10**6, output_tokens=0)]), own)

    for prices in (None, own):
        found = repriced(log, changed(*PAIRS[0]), TODAY, prices).collect()
        assert found["from_usd"].to_list() == [5.0]
        assert found["to_usd"].to_list() == [0.15]


def test_a_users_price_holds_for_the_target(log_of, event):
    """One that nobody else has."""
    own = (
        UserPrice(
            model="gpt-4o-mini",
            input_usd_per_mtok=Decimal("0.1"),
            output_usd_per_mtok=Decimal(1),
        ),
    )
    models = dict.fromkeys(
        ("model_actual", "model_sent", "model_requested"), "gpt-4o-2024-08-06"
    )
    log = priced(log_of([event(**models, input_tokens=10**6, output_tokens=0)]))

    found = repriced(log, changed(*PAIRS[0]), TODAY, own).collect()

    assert found["to_usd"].to_list() == [0.1]


def test_days_are_apart_and_a_target_without_a_price_is_counted(log_of, event):
    """A row per day with traffic."""
    models = dict.fromkeys(
        ("model_actual", "model_sent", "model_requested"), "gpt-4o-2024-08-06"
    )
    events = [event(**models, started_at=START + timedelta(days=d)) for d in (0, 0, 2)]
    change = changed("openai", "gpt-4o-2024-08-06", "a-model-of-nobody")

    found = repriced(priced(log_of(events)), change, TODAY, None).collect()

    assert found["day"].to_list() == [date(2026, 9, 20), date(2026, 9, 22)]
    assert found["unpriced"].to_list() == [2, 1]
    assert found["from_usd"].to_list() == [0, 0]


def test_the_dearer_of_then_and_now_is_what_would_come(log_of, event):
    """A target that became cheaper counts as it was, one that became dearer as it is."""

    def price(usd, **days):
        return UserPrice(
            model="gpt-4o-mini",
            input_usd_per_mtok=Decimal(usd),
            output_usd_per_mtok=Decimal(1),
            **days,
        )

    models = dict.fromkeys(
        ("model_actual", "model_sent", "model_requested"), "gpt-4o-2024-08-06"
    )
    fields = {"started_at": START, "input_tokens": 10**6, "output_tokens": 0}
    log = priced(log_of([event(**models, **fields)]))
    october = date(2026, 10, 1)

    for then, now in (("0.9", "0.1"), ("0.1", "0.9")):
        own = (price(then, last_day=october), price(now))
        found = repriced(log, changed(*PAIRS[0]), TODAY, own).collect()
        assert found["to_usd"].to_list() == [0.9]


def test_a_price_that_is_gone_saves_nothing(log_of, event):
    """What was paid by the list then, where the list is lower now, counts as now."""
    models = dict.fromkeys(
        ("model_actual", "model_sent", "model_requested"), "gpt-4o-2024-08-06"
    )
    log = priced(log_of([event(**models, input_tokens=10**6, output_tokens=0)]))
    dear = log.with_columns(cost_usd=pl.lit(99.0))

    found = repriced(dear, changed(*PAIRS[0]), TODAY, None).collect()

    assert found["from_usd"].to_list() == [2.5]


def test_an_estimated_answer_is_longer_too(log_of, event):
    """Where the target reasons anew, three times the characters cost."""
    models = dict.fromkeys(
        ("model_actual", "model_sent", "model_requested"), "gpt-4o-2024-08-06"
    )
    long = {**models, "prompt_chars": 4_000, "output_chars": 2_000}
    silent = {**long, "input_tokens": None, "output_tokens": None, "stream": True}
    events = [event(**long)] * 3 + [event(**silent, token_source="absent")]
    log = priced(counted_log(log_of(events))).filter(pl.col("token_source") == "ratio")

    once, thrice = (
        repriced(log, changed(*PAIRS[0], anew), TODAY, None).collect()["to_usd"].item()
        for anew in (False, True)
    )

    assert once == pytest.approx((1_000 * 0.15 + 500 * 0.6) / 1e6)
    assert thrice == pytest.approx((1_000 * 0.15 + 1_500 * 0.6) / 1e6)

"""Where our prices differ from others', and why: writes `data/price_differences.md`.

    python tests/benchmarks/price_differences.py shared/datasets/prices data/price_differences.md

Compared are genai-prices (every entry, and what it charges for real usage blocks), the
charges recorded with these blocks, and LiteLLM's list. A difference without a cause
ends the program: it is to be looked at.
"""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from genai_prices import Usage, extract_usage
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import TieredPrices

from lectr_lab.core.pricing.documented import documented
from lectr_lab.core.pricing.price import Found, PriceQuery, cost_usd, find_price
from lectr_lab.core.pricing.units import COUNTS, UNITS, USAGE_KEYS

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
SELLERS = [
    "openai",
    "anthropic",
    "gemini",
    "groq",
    "azure",
    "mistral",
    "deepseek",
    "xai",
]
# LiteLLM's columns, and what each is the price of: a count and a tier.
COLUMNS = {
    "input_cost_per_token": ("input_tokens", None),
    "output_cost_per_token": ("output_tokens", None),
    "cache_read_input_token_cost": ("cache_read_tokens", None),
    "cache_creation_input_token_cost": ("cache_write_tokens", None),
    "cache_creation_input_token_cost_above_1hr": ("cache_write_1h_tokens", None),
    "input_cost_per_audio_token": ("input_audio_tokens", None),
    "output_cost_per_audio_token": ("output_audio_tokens", None),
    "output_cost_per_image": ("image_count", None),
    "input_cost_per_token_batches": ("input_tokens", "batch"),
    "output_cost_per_token_batches": ("output_tokens", "batch"),
    "input_cost_per_token_flex": ("input_tokens", "flex"),
    "output_cost_per_token_flex": ("output_tokens", "flex"),
    "input_cost_per_token_priority": ("input_tokens", "priority"),
    "output_cost_per_token_priority": ("output_tokens", "priority"),
}

HALF_PUSD = Decimal("0.5e-12")


class Difference(NamedTuple):
    """One line of the report."""

    what: str
    theirs: str
    ours: str
    cause: str


def report(prices: Path) -> str:
    """The whole file."""
    entries = list(of_the_list())
    charges, compared = of_charges(prices / "usage_costs.parquet")
    litellm, equal = of_litellm(prices / "litellm_prices.parquet")
    return "\n".join(
        [
            "# Where our prices differ from others', and why",
            "",
            f"Made by `tests/benchmarks/price_differences.py`; prices as of {AT:%Y-%m-%d}.",
            "An empty cost is one that is not known.",
            "",
            f"## genai-prices: {len(entries)} entries that we price otherwise",
            "",
            *table(entries),
            "",
            f"## Recorded charges: {len(charges)} of {compared} that we charge otherwise",
            "",
            *table(charges),
            "",
            f"## LiteLLM's list: {len(litellm)} prices differ, {equal} are equal",
            "",
            *table(litellm),
            "",
        ]
    )


def table(found: list[Difference]) -> list[str]:
    missing = [one for one in found if not one.cause]
    if missing:
        raise SystemExit(f"no cause is known of {missing}")
    lines = ["| what | theirs | ours | cause |", "|---|---|---|---|"]
    return lines + [f"| {' | '.join(one)} |" for one in dict.fromkeys(found)]


def asked(provider: str, model: str, tier: str | None = None) -> Found | None:
    return find_price(PriceQuery(provider, model, None, None, tier, AT))


def of_the_list() -> Iterator[Difference]:
    """Entries whose tokens cost something else by us, of 1,000 in and 100 out."""
    for provider in get_snapshot().providers:
        for model in provider.models:
            if provider.find_model(model.id) is not model:
                continue
            counts = {"input_tokens": 1000}
            if model.get_prices(AT).output_mtok is not None:
                counts["output_tokens"] = 100
            try:
                theirs = model.get_prices(AT).calc_price(Usage(**counts))["total_price"]
            except ValueError:
                continue
            found = asked(provider.id, model.id)
            ours = None if found is None else cost_usd(found, counts)
            # Ours of one token is a whole number of 1e-12 USD.
            if ours is None or abs(ours - theirs) > sum(counts.values()) * HALF_PUSD:
                cause = why_unpriced(provider.id, model.id, found, counts)
                name = f"{provider.id}: {model.id}"
                yield Difference(name, money(theirs), money(ours), cause)


def why_unpriced(
    provider: str, model: str, found: Found | None, counts: dict[str, Any]
) -> str:
    told = documented(provider, model)
    if told.unknown:
        return "bills more with every call than its counts say"
    used = {count for count in COUNTS if (counts.get(count) or 0) > 0}
    if found is None:
        return "the entry has no price, and need not be free"
    lacks = sorted(used & found.lacking)
    return f"no price of its own for {', '.join(lacks)}" if lacks else ""


def of_charges(file: Path) -> tuple[list[Difference], int]:
    """What was charged for real usage blocks, beside what we say of the same counts."""
    found, compared = [], 0
    names = {"google": "gemini"}
    for row in (
        pl.read_parquet(file).sort("body_id", "provider_id", "api_flavor").to_dicts()
    ):
        if row["expected_input_cost"] is None or row["expected_output_cost"] is None:
            continue
        body = json.loads(row["body_json"])
        try:
            usage = extract_usage(
                body, provider_id=row["provider_id"], api_flavor=row["api_flavor"]
            ).usage
        except (LookupError, ValueError):
            continue
        counts = {c: usage.reported_value(k) for c, k in USAGE_KEYS.items()}
        provider = names.get(row["provider_id"], row["provider_id"])
        model = body.get("model") or body.get("modelVersion") or ""
        price = asked(provider, model)
        ours = None if price is None else cost_usd(price, counts)
        theirs = row["expected_input_cost"] + row["expected_output_cost"]
        compared += 1
        if ours is not None and abs(float(ours) - theirs) < 1e-9:
            continue
        cause = why_unpriced(provider, model, price, counts) if ours is None else ""
        searches = counts["web_searches"]
        if ours is not None and searches and float(ours) > theirs:
            cause = "the recorded charge leaves out its searches"
        elif ours is not None:
            cause = cause or "the list has had another price since it was recorded"
        what = f"{provider}: {model}"
        found.append(Difference(what, money(theirs), money(ours), cause))
    return found, compared


def of_litellm(file: Path) -> tuple[list[Difference], int]:
    """Each price of LiteLLM's that we have otherwise, or not."""
    found, equal = [], 0
    rows = pl.read_parquet(file).filter(pl.col("provider").is_in(SELLERS)).sort("key")
    for row in rows.to_dicts():
        model = row["key"].removeprefix(f"{row['provider']}/")
        prices: dict[str | None, Found | None] = {}
        for column, (count, tier) in COLUMNS.items():
            theirs = row[column]
            if not theirs:  # it writes 0 for what it does not know
                continue
            if tier not in prices:
                prices[tier] = asked(row["provider"], model, tier)
            ours = each(prices[tier], count)
            if ours is not None and abs(float(ours) / theirs - 1) < 1e-6:
                equal += 1
            elif prices[None] is not None or ours is not None:
                what = f"{row['key']}: {count}{f', {tier}' if tier else ''}"
                cause = why_unlike(what, prices[tier], count, tier, ours, theirs)
                found.append(
                    Difference(what, per_million(theirs), per_million(ours), cause)
                )
    return found, equal


KNOWN = {
    "deepseek": "DeepSeek changed its prices in 2025 and 2026, and has others by hour",
    "gpt-4o-realtime-preview": "LiteLLM keeps the price of the first preview",
    "azure/gpt-4o-realtime-preview": "LiteLLM keeps the price of the first preview",
    "azure/gpt-audio": "LiteLLM has 1.25 times OpenAI's price, the list has OpenAI's",
    "azure/gpt-4o-mini-tts": "the list has OpenAI's price for Azure, too",
}
"""By how a model of LiteLLM's begins: causes that were looked at, 2026-11-30."""


def why_unlike(
    what: str,
    price: Found | None,
    count: str,
    tier: str | None,
    ours: Decimal | None,
    theirs: float,
) -> str:
    if price is None:
        return (
            f"no source that we hold has its price for {tier}" if tier else "no entry"
        )
    if ours is None:
        billed = "; a count of it is unknown" if count in price.lacking else ""
        return f"LiteLLM alone lists it{billed}"
    if price.source == "documented":
        return "free by its provider's own page"
    times = float(ours) / theirs
    if abs(times * 1.1 - 1) < 0.005:
        return "LiteLLM has the price of a region, a tenth above that of the world"
    seller = next((why for start, why in KNOWN.items() if what.startswith(start)), "")
    return seller or f"{times:.3g} times theirs: the two lists were read on other days"


def each(found: Found | None, count: str) -> Decimal | None:
    """Our price of one."""
    if found is None:
        return None
    unit = UNITS[count]
    listed = getattr(found.price, unit.price_key) if unit.price_key else None
    base = listed.base if isinstance(listed, TieredPrices) else listed
    return found.usd.get(count) if base is None else base / unit.per


def money(usd: Decimal | float | None) -> str:
    return "" if usd is None else f"${float(usd):.6g}"


def per_million(usd: Decimal | float | None) -> str:
    return "" if usd is None else f"{float(usd) * 10**6:.6g}"


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(report(Path(sys.argv[1])), "utf-8")

"""What an export leaves open that changes a price, in sentences."""

from collections.abc import Iterator
from typing import Any

from lectr_lab.analysis.reconcile.exports.read import Export
from lectr_lab.analysis.reconcile.exports.shape import Used
from lectr_lab.analysis.reconcile.unit_prices import UnitPrices
from lectr_lab.core.formatting import name
from lectr_lab.core.pricing.price import PriceList

_ALONE = (
    "An export of costs says what was charged and not what was counted: a difference is "
    "not divided into requests, tokens and price."
)
_TIER = (
    "It does not say which requests were batches or of another service tier, which cost "
    "less or more with {}: all are priced as standard. {}"
)
_LONG = (
    "It does not say how long prompts were, and long ones cost more with {}: all are "
    "priced as short ones. {}"
)
_GEO = (
    "It does not say where requests ran, and some places cost more with {}: all are "
    "priced as anywhere. {}"
)
_SEARCHES = (
    "No search is in it, and the log has {:,}: either none was billed, or it does not "
    "count them (OpenAI has them on a page and a line of their own)."
)
_ASK = {
    ("openai", "tier"): "Ask for it by batch and service_tier (group_by).",
    ("anthropic", "tier"): "Ask for it by service_tier (group_by[]).",
    ("anthropic", "long"): "Ask for it by context_window (group_by[]).",
    ("anthropic", "geo"): "Ask for it by inference_geo (group_by[]).",
}
_OTHERWISE: dict[str, tuple[Any, ...]] = {
    "tier": ("batch", "flex", "priority"),
    "long": (True,),
    "geo": ("us",),
}
_SENTENCES = {"tier": _TIER, "long": _LONG, "geo": _GEO}
_SHOWN = 3


def dimension_notes(
    export: Export, prices: PriceList = (), searches: int = 0
) -> tuple[str, ...]:
    """What of an export could not be priced by what it was.

    Args:
        export: a provider's usage.
        prices: the user's own prices.
        searches: how many the log has of the same calls.
    """
    if not export.used:
        return (_ALONE,)
    notes = tuple(_notes(export, UnitPrices(export.provider, prices)))
    counted = any("web_searches" in one.counts for one in export.used)
    return notes if counted or not searches else (*notes, _SEARCHES.format(searches))


def _notes(export: Export, units: UnitPrices) -> Iterator[str]:
    samples = {(one.model, one.dimensions): one for one in export.used}
    for which, sentence in _SENTENCES.items():
        models = sorted({o.model for o in samples.values() if _open(which, o, units)})
        if models:
            ask = _ASK.get((export.provider, which), "")
            yield sentence.format(_some(models), ask).strip()


def _open(which: str, one: Used, units: UnitPrices) -> bool:
    """The export does not say it, and it would change the model's price."""
    dimensions = one.dimensions
    if getattr(dimensions, which) is not None:
        return False
    others = (dimensions._replace(**{which: value}) for value in _OTHERWISE[which])
    return any(units.differs(one.model, one.day, dimensions, o) for o in others)


def _some(names: list[str]) -> str:
    rest = len(names) - _SHOWN
    return ", ".join(map(name, names[:_SHOWN])) + (
        f" and {rest} more" if rest > 0 else ""
    )

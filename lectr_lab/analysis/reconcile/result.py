"""What `reconcile` found: a table of differences that shows itself, and its sum in words."""

import msgspec
import polars as pl

from lectr_lab.core.formatting import name
from lectr_lab.core.printable import printable
from lectr_lab.tables import html_table, text_table

_NAMED = 5  # models in a sentence


class Reconciliation(msgspec.Struct, frozen=True):
    """A log beside a provider's own usage, the largest difference first."""

    provider: str
    differences: pl.DataFrame
    notes: tuple[str, ...] = ()  # what makes the exports say less than they should

    def frame(self) -> pl.DataFrame:
        """One row per day and model; its columns are those of `differences`."""
        return self.differences

    def in_short(self) -> str:
        """The sum of all days and models, in a sentence."""
        return difference_text(self.differences, self.provider)

    def __repr__(self) -> str:
        table = [] if self._nothing() else [text_table(self._shown())]
        return "\n".join([*table, self.in_short(), *map(printable, self.notes)])

    def _repr_html_(self) -> str:
        shown = pl.DataFrame() if self._nothing() else self._shown()
        note = [self.in_short(), *self.notes]
        title = f"The log beside what {self.provider} counted"
        return html_table(shown, title=title, note=note, script=True)

    def _nothing(self) -> bool:
        return self.differences.is_empty()

    def _shown(self) -> pl.DataFrame:
        return self.differences.drop("their_usd", "our_usd", "their_requests")


def difference_text(found: pl.DataFrame, provider: str) -> str:
    """The sum of all days and models, in a sentence; takes what `differences` gives.

    >>> difference_text(pl.DataFrame(), "openai")
    'Neither the export nor the log has a request to openai in it.'
    """
    if found.is_empty():
        return f"Neither the export nor the log has a request to {provider} in it."
    known = found.filter(pl.col("rows_usd").is_not_null())
    total = known.select(pl.col(pl.Float64).sum()).row(0, named=True)
    parts = {"rows": "requests missing", "tokens": "tokens counted differently"}
    if (known["other_usd"] != 0).any():
        parts["other"] = "searches and other units"
    if known["price_usd"].count():
        parts["price"] = "another price"
    text = "; ".join(f"{signed_usd(total[f'{k}_usd'])} {v}" for k, v in parts.items())
    lacks = _without_price(found.filter(pl.col("rows_usd").is_null()))
    return (
        f"{provider}: {signed_usd(total['their_usd']).lstrip('+')}; "
        f"the log: {signed_usd(total['our_usd']).lstrip('+')}. "
        f"The difference is {signed_usd(total['their_usd'] - total['our_usd'])}: "
        f"{text}.{lacks}"
    )


def _without_price(rows: pl.DataFrame) -> str:
    """Which rows are in no sum, for want of a price."""
    if rows.is_empty():
        return ""
    names = rows.select(
        pl.when(pl.col("priced_as") == "")
        .then("model")
        .otherwise(pl.format("{} ({})", "model", "priced_as"))
    )
    some = map(name, names.to_series().unique().sort().head(_NAMED))
    more = ", …" if names.to_series().n_unique() > _NAMED else ""
    return (
        f" {rows.height:,} rows have no known price and are not in this: "
        f"{', '.join(some)}{more}."
    )


def signed_usd(usd: float | None) -> str:
    """A difference in US dollars, with its sign.

    >>> signed_usd(1.5), signed_usd(-0.00012), signed_usd(1e-9), signed_usd(None)
    ('+$1.50', '-$0.000120', '$0', '—')
    """
    if usd is None:
        return "—"
    if abs(usd) < 5e-7:  # what is left of a sum of floats
        return "$0"
    digits = 2 if abs(usd) >= 1 else 6
    return f"{'-' if usd < 0 else '+'}${abs(usd):,.{digits}f}"

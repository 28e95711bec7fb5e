"""What `reconcile` found: a table of differences that shows itself, and its sum in words."""

import msgspec
import polars as pl

from lectr_lab.tables import html_table, text_table


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
        return "\n".join([*table, self.in_short(), *self.notes])

    def _repr_html_(self) -> str:
        shown = pl.DataFrame() if self._nothing() else self._shown()
        note = [self.in_short(), *self.notes]
        title = f"The log beside what {self.provider} counted"
        return html_table(shown, title=title, note=note)

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
    sums = found.select(
        "their_usd", "our_usd", "rows_usd", "tokens_usd", "price_usd"
    ).sum()
    total = sums.row(0, named=True)
    parts = {"rows": "requests missing", "tokens": "tokens counted differently"}
    if found["price_usd"].count():
        parts["price"] = "another price"
    text = "; ".join(f"{signed_usd(total[f'{k}_usd'])} {v}" for k, v in parts.items())
    unpriced = found["our_usd"].null_count()
    lacks = (
        f" {unpriced} rows have no known price and are not in this." if unpriced else ""
    )
    return (
        f"{provider}: {signed_usd(total['their_usd']).lstrip('+')}; "
        f"the log: {signed_usd(total['our_usd']).lstrip('+')}. "
        f"The difference is {signed_usd(total['their_usd'] - total['our_usd'])}: "
        f"{text}.{lacks}"
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

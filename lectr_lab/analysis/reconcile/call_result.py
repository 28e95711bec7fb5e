"""What `reconcile` found of two logs: each call that differs, and the sums by cause."""

from datetime import date

import msgspec
import polars as pl

from lectr_lab.analysis.reconcile.result import signed_usd
from lectr_lab.analysis.views.money import usd_sum
from lectr_lab.core.printable import printable
from lectr_lab.tables import html_table, text_table

CAUSES = (
    "only in the log",
    "only in the other",
    "twice in the log",
    "twice in the other",
    "another model",
    "counted differently",
    "another service tier",
    "another price",
)
"""Why two accounts of the same calls differ, in the order in which they are said."""


class CallReconciliation(msgspec.Struct, frozen=True):
    """A log beside another of the same calls, the largest difference first."""

    differences: pl.DataFrame
    calls: tuple[int, int]  # ours, theirs
    matched: pl.DataFrame  # matched_by, count
    usd: tuple[float, float]  # ours, theirs: at list price, what has one
    days: tuple[date | None, date | None]
    notes: tuple[str, ...] = ()

    def frame(self) -> pl.DataFrame:
        """One row per call that differs: `cause`, when, which and how much."""
        return self.differences

    def causes(self) -> pl.DataFrame:
        """One row per cause: `cause`, `calls`, `difference_usd` and `unpriced`."""
        order = {cause: i for i, cause in enumerate(CAUSES)}
        usd = pl.col("difference_usd")
        return (
            self.differences.group_by("cause")
            .agg(
                pl.len().cast(pl.Int64).alias("calls"),
                usd_sum(usd),
                usd.is_null().sum().cast(pl.Int64).alias("unpriced"),
            )
            .sort(pl.col("cause").replace_strict(order, return_dtype=pl.Int64))
        )

    def in_short(self) -> str:
        """The sums, in sentences.

        >>> none = pl.DataFrame(schema={"cause": pl.String, "difference_usd": pl.Float64})
        >>> one = CallReconciliation(none, (2, 2), pl.DataFrame(), (0.5, 0.5), (None, None))
        >>> one.in_short()
        'The log has 2 calls for $0.500000, the other 2 for $0.500000: the same ones.'
        """
        ours, theirs = self.calls
        sums = [signed_usd(usd).lstrip("+") for usd in self.usd]
        head = f"The log has {ours:,} calls for {sums[0]}, the other {theirs:,} for {sums[1]}"
        if not ours and not theirs:
            return "Neither log has an answered call in it."
        if self.differences.is_empty():
            return f"{head}: the same ones."
        parts = [
            f"{signed_usd(row['difference_usd'])} {row['cause']} ({row['calls']:,})"
            for row in self.causes().iter_rows(named=True)
        ]
        unknown = self.differences["difference_usd"].null_count()
        lacks = f" {unknown:,} of these have no known price." if unknown else ""
        whole = signed_usd(self.usd[1] - self.usd[0])
        return f"{head}. The difference is {whole}: {'; '.join(parts)}.{lacks}"

    def __repr__(self) -> str:
        table = [] if self.differences.is_empty() else [text_table(self._shown())]
        return "\n".join([*table, self.in_short(), *map(printable, self.notes)])

    def _repr_html_(self) -> str:
        shown = pl.DataFrame() if self.differences.is_empty() else self._shown()
        title = "The log beside another of the same calls"
        return html_table(
            shown, title=title, note=[self.in_short(), *self.notes], script=True
        )

    def _shown(self) -> pl.DataFrame:
        return self.differences.drop("our_usd", "their_usd")

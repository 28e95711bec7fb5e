"""`lectr-lab reconcile`: the log beside what the provider counted itself."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from lectr_lab.cli.csv_text import csv_text
from lectr_lab.cli.options import LabOrUrl
from lectr_lab.cli.say import say, say_json
from lectr_lab.cli.width import wide_console
from lectr_lab.core.printable import printable

if TYPE_CHECKING:
    import polars as pl

    from lectr_lab.analysis.reconcile.call_result import CallReconciliation
    from lectr_lab.analysis.reconcile.result import Reconciliation

    Found = Reconciliation | CallReconciliation

Format = Literal["table", "csv", "json"]
Costs = Annotated[list[Path] | None, Parameter(consume_multiple=True)]

_SHOWN = 40  # rows of a table; the other forms have all


def reconcile(
    *other: Path,
    lab: LabOrUrl = None,
    costs: Costs = None,
    within_s: float = 60,
    format: Format = "table",
    json: bool = False,
    known: bool = False,
) -> None:
    """Explain the difference between the log and another account of the same calls.

    Another account is a provider's own export (its usage, its costs or both:
    OpenAI's and Anthropic's APIs and dashboards, OpenRouter's activity, Azure's
    cost export, Google's billing export), or another lab: what `lectr-lab
    import` made of the same calls' transcripts, spans or logs. Each difference
    has its amount in US dollars and its cause.

    Example: lectr-lab reconcile openai-usage.json --lab lab

    Args:
        other: the provider's export; several, or a folder of them; or the folder of the
            other lab.
        lab: the lab folder (default: the one lectr.toml names, else ./lab); or a prefix
            that labs are shipped to, such as s3://bucket/prefix.
        costs: the same provider's cost export, for what was really charged.
        within_s: of two logs, how far apart the clocks may be where no id tells which
            call is which.
        format: a table, or csv or json with every row and column.
        json: the same as --format json.
        known: list the exports that can be read, and how the form of each is known.
    """
    from datetime import timedelta

    from lectr_lab.analysis.reconcile import reconcile as explain
    from lectr_lab.analysis.scan import own_prices, scan
    from lectr_lab.config.settings import lab_here
    from lectr_lab.core.errors import ConfigError

    if known:
        _print_known()
        return
    if not other:
        raise ConfigError(
            "Name an export, or the folder of another lab. --known lists what can be read."
        )
    if not 0 <= within_s < 1e9:
        raise ConfigError("--within-s is a number of seconds, such as 60.")
    lab = lab or lab_here(os.environ)
    found = explain(
        scan(lab),
        list(other) if len(other) > 1 else other[0],
        costs=costs,
        prices=own_prices(lab),
        within=timedelta(seconds=within_s),
    )
    for note in found.notes:
        print(printable(note), file=sys.stderr)
    _print(found, "json" if json else format)


def _print_known() -> None:
    from lectr_lab.analysis.reconcile.exports.read import SHAPES

    for shape in SHAPES:
        print(f"{shape.name}\n    {shape.seen}")


def _print(found: "Found", format: Format) -> None:
    rows = found.frame()
    if format == "table":
        _print_table(rows)
        say(found.in_short())
    elif format == "csv":
        print(csv_text(rows))
    else:
        say_json(rows.to_dicts())


def _print_table(found: "pl.DataFrame") -> None:
    from lectr_lab.tables import text_table

    if not found.is_empty():
        width = wide_console().width
        say(f"{text_table(_shown(found), width=width, most_rows=_SHOWN)}\n")


def _shown(found: "pl.DataFrame") -> "pl.DataFrame":
    """What is missing, and what each difference comes to; nothing that no row has."""
    import polars as pl

    # Six digits leave out what is left of a sum of floats.
    shown = found.with_columns(pl.col(pl.Float64).round(6))
    if "rows_missing" not in found.columns:
        return shown.drop("our_usd", "their_usd", "cache_read_tokens_missing")
    shown = shown.select(
        "day",
        "model",
        "priced_as",
        pl.col("our_requests").alias("requests"),
        pl.col("rows_missing").alias("requests_missing"),
        "input_tokens_missing",
        "output_tokens_missing",
        pl.col("rows_usd").alias("requests_difference_usd"),
        pl.col("tokens_usd").alias("tokens_difference_usd"),
        pl.col("other_usd").alias("other_difference_usd"),
        pl.col("price_usd").alias("price_difference_usd"),
    )
    idle = [
        name
        for name in ("priced_as", "other_difference_usd", "price_difference_usd")
        if not shown.select(pl.col(name).cast(pl.String).is_in(["", "0.0"]).not_())
        .fill_null(False)
        .to_series()
        .any()
    ]
    return shown.drop(idle)

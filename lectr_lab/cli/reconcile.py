"""`lectr-lab reconcile`: the log beside what the provider counted itself."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lectr_lab.cli.csv_text import csv_text
from lectr_lab.cli.width import wide_console

if TYPE_CHECKING:
    import polars as pl

    from lectr_lab.analysis.reconcile.result import Reconciliation

Format = Literal["table", "csv", "json"]

_SHOWN = 40  # rows of a table; the other forms have all


def reconcile(
    export: Path,
    *,
    lab: Path | None = None,
    costs: Path | None = None,
    format: Format = "table",
) -> None:
    """Explain the difference between the log and a provider's own usage export.

    Per day and model: requests missing, tokens different, price different, each with
    its amount in US dollars. Reads the usage exports of OpenAI and Anthropic, as JSON
    of their usage API (asked for by model) or as CSV from their dashboards.

    Example: lectr-lab reconcile openai-usage.json --lab lab

    Args:
        export: the provider's usage export.
        lab: the lab folder (default: the one lectr.toml names, else ./lab).
        costs: the same provider's cost export, for what was really charged.
        format: a table, or csv or json with every row and column.
    """
    from lectr_lab.analysis.reconcile import reconcile as explain
    from lectr_lab.analysis.scan import own_prices, scan
    from lectr_lab.config.settings import lab_here

    lab = lab or lab_here(os.environ)
    found = explain(scan(lab), export, costs=costs, prices=own_prices(lab))
    for note in found.notes:
        print(note, file=sys.stderr)
    _print(found, format)


def _print(found: "Reconciliation", format: Format) -> None:
    rows = found.frame()
    if format == "table":
        _print_table(rows)
        wide_console().print(found.in_short(), markup=False)
    elif format == "csv":
        print(csv_text(rows))
    else:
        import json

        print(json.dumps(rows.to_dicts(), indent=2, default=str))


def _print_table(found: "pl.DataFrame") -> None:
    from rich.text import Text

    from lectr_lab.tables import text_table

    if not found.is_empty():
        console = wide_console()
        table = text_table(_shown(found), width=console.width, most_rows=_SHOWN)
        console.print(Text(f"{table}\n"), soft_wrap=True)


def _shown(found: "pl.DataFrame") -> "pl.DataFrame":
    """Which requests and tokens are missing, and what each difference comes to; that of
    prices where it is known."""
    import polars as pl

    shown = found.select(
        "day",
        "model",
        pl.col("our_requests").alias("requests"),
        pl.col("rows_missing").alias("requests_missing"),
        "input_tokens_missing",
        "output_tokens_missing",
        # Six digits leave out what is left of a sum of floats.
        pl.col("rows_usd").round(6).alias("requests_difference_usd"),
        pl.col("tokens_usd").round(6).alias("tokens_difference_usd"),
        pl.col("price_usd").round(6).alias("price_difference_usd"),
    )
    return shown if found["price_usd"].count() else shown.drop("price_difference_usd")

"""`lectr-lab reconcile`: the log beside what the provider counted itself."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lectr_lab.cli.width import wide_console
from lectr_lab.core.errors import ConfigError

if TYPE_CHECKING:
    import polars as pl

    from lectr_lab.analysis.reconcile.usage_export import Charged, Exporter

Format = Literal["table", "csv", "json"]

_MORE = (
    "{file} is not the last page of its export: what is on the others looks as if the "
    "provider had not counted it. Write all pages into one JSON list."
)
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
    from lectr_lab.analysis.reconcile.reconcile import counted, differences
    from lectr_lab.analysis.reconcile.usage_export import read_export
    from lectr_lab.analysis.scan import own_prices, scan
    from lectr_lab.config.settings import lab_here

    lab = lab or lab_here(os.environ)
    usage = read_export(export)
    if usage.has_more:
        print(_MORE.format(file=export), file=sys.stderr)
    if not usage.used:
        raise ConfigError(
            f"{export} has no usage in it. Give the usage export first, and what was "
            "charged with --costs."
        )
    charged = _charged(costs, usage.provider)
    ours = counted(scan(lab), usage).collect()
    found = differences(ours, usage, charged, own_prices(lab))
    _print(found, usage.provider, format)


def _charged(costs: Path | None, provider: "Exporter") -> "tuple[Charged, ...]":
    from lectr_lab.analysis.reconcile.usage_export import read_export

    if costs is None:
        return ()
    export = read_export(costs)
    if export.has_more:
        print(_MORE.format(file=costs), file=sys.stderr)
    if export.provider != provider or not export.charged:
        raise ConfigError(f"{costs} is not a cost export of {provider}.")
    return export.charged


def _print(found: "pl.DataFrame", provider: str, format: Format) -> None:
    if format == "table":
        _print_table(found, provider)
    elif format == "csv":
        import polars as pl

        from lectr_lab.cli.report import cell

        names = pl.col("model").map_elements(cell, return_dtype=pl.String)
        print(found.with_columns(names).write_csv().rstrip("\n"))
    else:
        import json

        print(json.dumps(found.to_dicts(), indent=2, default=str))


def _print_table(found: "pl.DataFrame", provider: str) -> None:
    from rich.text import Text

    from lectr_lab.tables import text_table

    console = wide_console()
    if not found.is_empty():
        table = text_table(_shown(found), width=console.width, most_rows=_SHOWN)
        console.print(Text(f"{table}\n"), soft_wrap=True)
    console.print(Text(difference_text(found, provider)))


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


def difference_text(found: "pl.DataFrame", provider: str) -> str:
    """The sum of all days and models, in a sentence."""
    if found.is_empty():
        return f"Neither the export nor the log has a request to {provider} in it."
    sums = found.select(
        "their_usd", "our_usd", "rows_usd", "tokens_usd", "price_usd"
    ).sum()
    total = sums.row(0, named=True)
    parts = {"rows": "requests missing", "tokens": "tokens counted differently"}
    if found["price_usd"].count():
        parts["price"] = "another price"
    text = "; ".join(f"{_signed_usd(total[f'{k}_usd'])} {v}" for k, v in parts.items())
    unpriced = found["our_usd"].null_count()
    lacks = (
        f" {unpriced} rows have no known price and are not in this." if unpriced else ""
    )
    return (
        f"{provider}: {_signed_usd(total['their_usd']).lstrip('+')}; "
        f"the log: {_signed_usd(total['our_usd']).lstrip('+')}. "
        f"The difference is {_signed_usd(total['their_usd'] - total['our_usd'])}: "
        f"{text}.{lacks}"
    )


def _signed_usd(usd: float | None) -> str:
    if usd is None:
        return "—"
    if abs(usd) < 5e-7:  # what is left of a sum of floats
        return "$0"
    digits = 2 if abs(usd) >= 1 else 6
    return f"{'-' if usd < 0 else '+'}${abs(usd):,.{digits}f}"

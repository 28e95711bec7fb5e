"""Reads what providers say they counted: usage exports of OpenAI and Anthropic.

- OpenAI: the JSON of `/v1/organization/usage/completions` and `…/embeddings` (with
  `group_by=model`) and of `/v1/organization/costs` (with `group_by=line_item`), or a
  CSV of the same columns.
- Anthropic: the JSON of `/v1/organizations/usage_report/messages` and `…/cost_report`
  (with `group_by[]=model` and `group_by[]=description`), or the Console's CSVs of
  usage and cost.

Several pages are one file as a JSON list of them. Days are those of the export, in UTC;
one on which nothing was used may be there without figures. Anthropic's API has amounts
in cents; its input tokens leave out the cached ones, OpenAI's have them.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, NamedTuple

from lectr_lab.config.text_files import read_text
from lectr_lab.core.errors import ConfigError

Exporter = Literal["openai", "anthropic"]
Row = Mapping[str, Any]

_REQUESTS = "num_model_requests"
_WHEN = {"start_time", "end_time", "start_time_iso", "end_time_iso"}
_MOST = 10**15  # more than a provider sells in a day


class Used(NamedTuple):
    """What a provider counted of one model on one day, in the event's terms."""

    day: date
    model: str
    requests: int | None  # None: the export does not say; Anthropic's never do
    input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int


class Charged(NamedTuple):
    """What a provider charged for one model on one day."""

    day: date
    model: str
    usd: float


class Export(NamedTuple):
    """One file: whose it is, and what it says; one of the two lists is empty."""

    provider: Exporter
    used: tuple[Used, ...] = ()
    charged: tuple[Charged, ...] = ()
    days: frozenset[date] = frozenset()  # those without usage, too
    has_more: bool = False  # it is one of several pages, and not the last


def read_export(path: Path) -> Export:
    """What a provider's usage or cost export says.

    Args:
        path: JSON or CSV, as the provider gives it.

    Raises:
        ConfigError: it cannot be read, has no row, or is no export that is known; says
            which are.
    """
    text = read_text(path)
    try:
        pages = _pages(text)
        every = list(_rows_of_json(pages) if pages else _rows_of_csv(text))
        rows = [row for row in every if _says_something(row)]
        found = _export(rows)
        days = frozenset(_day(_when(row)) for row in every if _when(row))
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        OSError,
        ArithmeticError,
        RecursionError,
        csv.Error,
    ) as error:
        raise ConfigError(f"{path}: a row cannot be followed ({error}).") from None
    if not rows:
        raise ConfigError(
            f"{path}: has no rows. Was anything used in the days that were asked for?"
        )
    if found is None:
        raise ConfigError(
            f"{path}: is no usage export that is known. Known are OpenAI's "
            "organization/usage/completions and organization/costs, and Anthropic's "
            "usage_report/messages, cost_report and the Console's CSVs of usage and "
            "cost; ask for them by model."
        )
    has_more = bool(pages and pages[-1].get("has_more"))
    return found._replace(days=days, has_more=has_more)


def _says_something(row: Row) -> bool:
    return any(value and key not in _WHEN for key, value in row.items())


def _when(row: Row) -> Any:
    return row.get("start_time") or row.get("usage_date_utc")


def _pages(text: str) -> list[Row]:
    """The pages of JSON; none where it is a CSV."""
    if text.lstrip()[:1] not in ("{", "["):
        return []
    parsed = json.loads(text)
    return parsed if isinstance(parsed, list) else [parsed]


def _rows_of_csv(text: str) -> Iterator[Row]:
    """One dict per line; a spreadsheet may have saved it with other marks between."""
    heads = text.partition("\n")[0]
    mark = max(",;\t", key=heads.count)
    return csv.DictReader(io.StringIO(text, newline=""), delimiter=mark)


def _rows_of_json(pages: list[Row]) -> Iterator[Row]:
    """One dict per model and day, its bucket's time with it."""
    for page in pages:
        for bucket in page["data"]:
            when = bucket.get("start_time", bucket.get("starting_at"))
            for result in bucket["results"] or [{}]:
                yield {"start_time": when, **result}


def _export(rows: list[Row]) -> Export | None:
    keys = {key for row in rows for key in row}
    if "usage_input_tokens_no_cache" in keys:
        return Export("anthropic", used=tuple(map(_of_console, rows)))
    if "uncached_input_tokens" in keys:
        return Export("anthropic", used=tuple(map(_of_anthropic, rows)))
    if {"input_tokens", "model", "start_time"} <= keys and (
        {"output_tokens", _REQUESTS} & keys  # embeddings have no output
    ):
        return Export("openai", used=tuple(map(_of_openai, rows)))
    if "line_item" in keys:
        return Export("openai", charged=tuple(map(_charged_by_openai, rows)))
    if {"cost_usd", "model", "usage_date_utc"} <= keys:
        return Export("anthropic", charged=tuple(map(_charged_in_console, rows)))
    if {"amount", "model"} <= keys:
        return Export("anthropic", charged=tuple(map(_charged_by_anthropic, rows)))
    return None


def _of_openai(row: Row) -> Used:
    return Used(
        day=_day(row["start_time"]),
        model=_model(row["model"]),
        requests=_count(row, _REQUESTS) if _REQUESTS in row else None,
        input_tokens=_count(row, "input_tokens"),
        cache_read_tokens=_count(row, "input_cached_tokens"),
        cache_write_tokens=_count(row, "input_cache_write_tokens"),
        cache_write_1h_tokens=0,
        output_tokens=_count(row, "output_tokens"),
    )


def _of_anthropic(row: Row) -> Used:
    written = row.get("cache_creation") or {}
    return _anthropic(
        row["start_time"],
        row["model"],
        uncached=_count(row, "uncached_input_tokens"),
        read=_count(row, "cache_read_input_tokens"),
        written_5m=_count(written, "ephemeral_5m_input_tokens"),
        written_1h=_count(written, "ephemeral_1h_input_tokens"),
        output=_count(row, "output_tokens"),
    )


def _of_console(row: Row) -> Used:
    return _anthropic(
        row["usage_date_utc"],
        row["model_version"],
        uncached=_count(row, "usage_input_tokens_no_cache"),
        read=_count(row, "usage_input_tokens_cache_read"),
        written_5m=_count(row, "usage_input_tokens_cache_write_5m"),
        written_1h=_count(row, "usage_input_tokens_cache_write_1h"),
        output=_count(row, "usage_output_tokens"),
    )


def _anthropic(
    day: Any,
    model: Any,
    *,
    uncached: int,
    read: int,
    written_5m: int,
    written_1h: int,
    output: int,
) -> Used:
    written = written_5m + written_1h
    whole = uncached + read + written
    return Used(
        _day(day), _model(model), None, whole, read, written, written_1h, output
    )


def _charged_by_openai(row: Row) -> Charged:
    amount = row.get("amount")
    usd = amount["value"] if isinstance(amount, Mapping) else row["amount_value"]
    # A line item is "gpt-4o-2024-08-06, input".
    model = str(row["line_item"] or "").split(",")[0]
    return Charged(_day(row["start_time"]), _model(model), float(usd))


def _charged_by_anthropic(row: Row) -> Charged:
    cents = float(row["amount"])
    return Charged(
        _day(row["start_time"]), _model(row["model"] or "other"), cents / 100
    )


def _charged_in_console(row: Row) -> Charged:
    return Charged(
        _day(row["usage_date_utc"]), row["model"] or "other", float(row["cost_usd"])
    )


def _model(name: Any) -> str:
    if not isinstance(name, str) or not name.strip():
        raise ValueError("it names no model: ask for the export by model")
    return name.strip()


def _count(row: Row, key: str) -> int:
    """A count; what is absent or empty was not used.

    A spreadsheet writes 1000 as 1000.0.
    """
    value = row.get(key)
    if value is None or value == "":
        return 0
    try:
        count = Decimal(str(value).strip())
        if 0 <= count <= _MOST and count % 1 == 0:
            return int(count)
    except ArithmeticError:
        pass
    raise ValueError(f"{key} is no count")


def _day(value: Any) -> date:
    """A day of UTC: from seconds since 1970, or a date, with or without a time."""
    text = str(value)
    if text.isdigit():
        return datetime.fromtimestamp(int(text), UTC).date()
    at = datetime.fromisoformat(text)
    return at.date() if at.tzinfo is None else at.astimezone(UTC).date()

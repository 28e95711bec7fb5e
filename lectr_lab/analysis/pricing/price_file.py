"""Reads the user's price file, `prices.toml` in the lab folder.

    [[price]]
    model = "my-gpt4o-deployment"   # a glob; * is any text
    provider = "azure"              # optional
    input_usd_per_mtok = 2.00
    output_usd_per_mtok = 8.00
    cache_read_usd_per_mtok = 1.00  # optional: billed as other input where absent
    from = 2026-07-01               # optional, first day (UTC)
    until = 2026-12-31              # optional, last day (UTC)
    source = "contract 4711"        # optional, as is checked = 2026-07-02

The first entry that fits a request, from top to bottom, wins over the list price.
"""

import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from lectr_lab.core.errors import ConfigError
from lectr_lab.core.pricing.price import PriceList, UserPrice

_MOST_USD_PER_MTOK = 1_000
_MOST_DECIMALS = 6  # so that a token's price is a whole number of 1e-12 USD


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    price: list[dict[str, Any]] = []


def read_prices(path: Path | str) -> PriceList:
    """The user's own prices, in the order of the file.

    Args:
        path: a TOML file of `[[price]]` tables; USD per million tokens.

    Returns:
        The entries; none for an empty file.

    Raises:
        ConfigError: the file cannot be read, is not TOML, or an entry says something
            that cannot be followed; the message names the line and what to write.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "prices.toml")
    ...     _ = file.write_text('''
    ... [[price]]
    ... model = "llama.cpp*"
    ... input_usd_per_mtok = 0
    ... output_usd_per_mtok = 0
    ... ''')
    ...     [local] = read_prices(file)
    >>> local.model, local.input_usd_per_mtok
    ('llama.cpp*', Decimal('0'))
    """
    file = Path(path)
    try:
        text = file.read_text("utf-8-sig")
    except OSError as e:
        raise ConfigError(f"{file}: cannot be read ({e.strerror}).") from e
    except UnicodeDecodeError as e:
        raise ConfigError(f"{file}: is not UTF-8 text; save it as UTF-8.") from e
    try:
        tables = msgspec.convert(tomllib.loads(text, parse_float=Decimal), _File).price
    except tomllib.TOMLDecodeError as e:
        raise ConfigError(f"{file}: is not TOML: {e}.") from e
    except msgspec.ValidationError as e:
        raise ConfigError(
            f"{file}: {e}. Write one [[price]] table per price, and nothing else."
        ) from e
    lines = _table_lines(text)
    return tuple(_entry(table, f"{file}, line {next(lines, 1)}") for table in tables)


def _table_lines(text: str) -> Iterator[int]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.replace(" ", "").startswith("[[price]]"):
            yield number


def _entry(table: dict[str, Any], where: str) -> UserPrice:
    try:
        entry = msgspec.convert(table, UserPrice)
    except msgspec.ValidationError as e:
        known = ", ".join(UserPrice.__struct_encode_fields__)
        raise ConfigError(f"{where}: {e}. An entry may have: {known}.") from e
    for name, value in msgspec.structs.asdict(entry).items():
        if isinstance(value, Decimal):
            _check_price(name, value, where)
    _check_fits(entry, where)
    return entry


def _check_fits(entry: UserPrice, where: str) -> None:
    """An entry that no request can fit would be passed over without a word."""
    if not entry.model.strip():
        raise ConfigError(f"{where}: model is empty; write * for all models.")
    if entry.first_day and entry.last_day and entry.last_day < entry.first_day:
        raise ConfigError(
            f"{where}: until = {entry.last_day} is before from = {entry.first_day}."
        )


def _check_price(name: str, value: Decimal, where: str) -> None:
    if not (value.is_finite() and 0 <= value <= _MOST_USD_PER_MTOK):
        raise ConfigError(
            f"{where}: {name} = {value}; write US dollars per million tokens, "
            f"0 to {_MOST_USD_PER_MTOK:,}."
        )
    if round(value, _MOST_DECIMALS) != value:
        raise ConfigError(
            f"{where}: {name} = {value}; write at most {_MOST_DECIMALS} decimals."
        )

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

Optional too, and of what nothing is said here the cost is not known: `web_search_usd`,
`other_tool_call_usd`, `image_usd`, `audio_second_usd`, `input_character_usd`,
`rerank_search_usd` (each for one), and `output_audio_usd_per_mtok`,
`output_image_usd_per_mtok`. Other tokens are billed as other input, or output.

The first entry that fits a request, from top to bottom, wins over the list price.
"""

from decimal import Decimal
from pathlib import Path

import msgspec

from lectr_lab.config.text_files import read_text
from lectr_lab.core.pricing.price import PriceList, UserPrice
from lectr_lab.core.toml_text import Toml, parsed

_MOST_USD = 1_000
_MOST_DECIMALS = 6  # so that a token's price is a whole number of 1e-12 USD

_EXAMPLE = "Write one [[price]] table per price, and nothing else."


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    price: tuple[UserPrice, ...] = ()


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
    text = read_text(Path(path))
    toml = parsed(text, str(path), example=_EXAMPLE, parse_float=Decimal)
    prices = toml.struct(_File).price
    for number, price in enumerate(prices):
        _check(toml, f"price[{number}]", price)
    return prices


def _check(toml: Toml, path: str, price: UserPrice) -> None:
    for field, value in msgspec.structs.asdict(price).items():
        per = "per million tokens" if field.endswith("_mtok") else "for one"
        fault = _fault(value, per) if isinstance(value, Decimal) else None
        if fault:
            raise toml.refusal(field, fault, path)
    # An entry that no request can fit would be passed over without a word.
    if not price.model.strip():
        raise toml.refusal("model", "it is empty; write * for all models", path)
    if price.first_day and price.last_day and price.last_day < price.first_day:
        fault = f"{price.last_day} is before from = {price.first_day}"
        raise toml.refusal("until", fault, path)


def _fault(usd: Decimal, per: str) -> str | None:
    if not (usd.is_finite() and 0 <= usd <= _MOST_USD):
        return f"{usd}; write US dollars {per}, 0 to {_MOST_USD:,}"
    if round(usd, _MOST_DECIMALS) != usd:
        return f"{usd}; write at most {_MOST_DECIMALS} decimals"
    return None

"""The user's price file."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from lectr_lab.analysis.pricing.price_file import read_prices
from lectr_lab.core.errors import ConfigError
from lectr_lab.core.pricing.price import PriceQuery, cost_usd, find_price

WHOLE = """
# ours
[[price]]
model = "our-*"
provider = "azure"
input_usd_per_mtok = 2.005
output_usd_per_mtok = 8
cache_read_usd_per_mtok = 1.0
cache_write_usd_per_mtok = 2.5
from = 2026-07-01
until = 2026-12-31
source = "contract 4711"
checked = 2026-07-02

[[ price ]]
model = "*"
input_usd_per_mtok = 0
output_usd_per_mtok = 0
"""


def test_every_field_is_read_exactly(tmp_path):
    """Decimals stay as written; dates are days; the order is the file's."""
    file = tmp_path / "prices.toml"
    file.write_text(WHOLE)

    ours, rest = read_prices(file)

    assert ours.input_usd_per_mtok == Decimal("2.005")
    assert (ours.first_day, ours.last_day) == (date(2026, 7, 1), date(2026, 12, 31))
    assert (ours.provider, ours.cache_write_usd_per_mtok) == ("azure", Decimal("2.5"))
    assert (rest.model, rest.output_usd_per_mtok, rest.cache_read_usd_per_mtok) == (
        "*",
        0,
        None,
    )


def test_an_empty_file_has_no_prices(tmp_path):
    """Nothing written, nothing overridden."""
    file = tmp_path / "prices.toml"
    file.touch()

    assert read_prices(file) == ()


def test_an_editor_may_mark_the_file_as_utf8(tmp_path):
    """As Notepad does, with a byte order mark."""
    file = tmp_path / "prices.toml"
    file.write_text(ENTRY, "utf-8-sig")

    assert [price.model for price in read_prices(file)] == ["x"]


ENTRY = '[[price]]\nmodel = "x"\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 1\n'


@pytest.mark.parametrize(
    "text, said",
    [
        ("[[price]", "is not valid TOML.*line 1"),
        (f"price = {'[' * 5_000}{']' * 5_000}", "nested too deeply.*Write one"),
        ("[price]\nmodel = 'x'", r"Write one \[\[price\]\] table per price"),
        ("[[prices]]\nmodel = 'x'", "prices"),
        (f"{ENTRY}\n[[price]]\nmodel = 'y'\n", "line 6.*input_usd_per_mtok"),
        (ENTRY + "typo = 1", "line 5.*typo.*The settings are: model, .*, from, "),
        (ENTRY.replace("_mtok = 1", "_mtok = -1", 1), "line 3.*-1; write US dollars"),
        (ENTRY.replace("_mtok = 1", "_mtok = inf", 1), "line 3.*write US dollars"),
        (ENTRY.replace("_mtok = 1", "_mtok = 0.0000001", 1), "at most 6 decimals"),
        (ENTRY.replace('"x"', "7"), "line 2.*model"),
        (ENTRY.replace('"x"', '" "'), "line 2.*write \\* for all models"),
        (f"{ENTRY}from = 2026-11-02\nuntil = 2026-11-01", "line 6.*until.*before"),
    ],
)
def test_what_cannot_be_followed_says_where_and_what_to_write(tmp_path, text, said):
    """The file, the line, and the way out."""
    file = tmp_path / "prices.toml"
    file.write_text(text)

    with pytest.raises(ConfigError, match=f"(?s)prices.toml.*{said}"):
        read_prices(file)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    """Missing, or not text."""
    binary = tmp_path / "prices.toml"
    binary.write_bytes(b"\xff\xfe")

    with pytest.raises(ConfigError, match="UTF-8"):
        read_prices(binary)
    with pytest.raises(ConfigError, match="There is no"):
        read_prices(tmp_path / "nowhere.toml")


def test_other_units_have_prices_of_ones_own(tmp_path):
    """For one each; a fault in one is told in its own unit."""
    file = tmp_path / "prices.toml"
    model = (
        '[[price]]\nmodel = "draw"\ninput_usd_per_mtok = 0\noutput_usd_per_mtok = 0\n'
    )
    file.write_text(model + "image_usd = 0.04\nweb_search_usd = 0.01\n")
    [price] = read_prices(file)

    query = PriceQuery(
        "azure", "draw", None, None, None, datetime(2026, 11, 1, tzinfo=UTC)
    )
    found = find_price(query, (price,))

    counts = {"input_tokens": 9, "image_count": 2, "web_searches": 3}
    assert cost_usd(found, counts) == Decimal("0.11")
    assert cost_usd(found, counts | {"rerank_searches": 1}) is None
    file.write_text(model + "image_usd = -1\n")
    with pytest.raises(ConfigError, match="US dollars for one"):
        read_prices(file)

"""Opens a lab folder: what was logged, with what it cost."""

from datetime import date
from pathlib import Path

from lectr_lab.analysis.log import Log, Source, opened_log
from lectr_lab.analysis.pricing.price_file import read_prices
from lectr_lab.core.pricing.price import PriceList
from lectr_lab.resources import shipped_traffic
from lectr_lab.shipping.remote import is_url

PRICE_FILE = "prices.toml"
MADE_UP = "made-up-data"  # the org of every request that nobody sent
DEMO_MARK = Path("state", "demo")  # in a lab folder: it is a demo's


def scan(
    lab: Path | str,
    prices: PriceList | Path | str | None = None,
    *,
    day: date | None = None,
) -> Log:
    """The events of a lab folder, the last seconds included, each with its cost.

    Args:
        lab: the lab folder that a proxy writes to; or the prefix of an object store that
            many are shipped to (`lectr-lab ship`), such as s3://bucket/prefix. Of that,
            `.select(since=…, until=…)` reads those days alone, and estimates go by them.
        prices: the user's own prices, or the file that has them; without it,
            `prices.toml` in the lab folder, where there is one.
        day: of a lab folder, the files of this day alone (UTC).

    Returns:
        A log: for views, or to use as a polars LazyFrame; `log.select(org=…, since=…)`
        is a part of it. One row per event: the event's columns, `cost_usd` (what is
        billed; null where it is not known), `price_source`, and `plan_usd`, the list
        price of what a plan covered, which bills none of it. Streams that reported no
        tokens have estimates where the model's other rows teach them (`token_source` is
        "ratio"). What a response used is in its first row alone, however often it was
        fetched; of one day, in the first of that day.

    Raises:
        LogError: there is no such lab folder.
        ConfigError: the price file cannot be followed; or there are no credentials for
            the store in the environment.
        StoreError: the store cannot be reached, or refuses.

    >>> import tempfile
    >>> scan(tempfile.mkdtemp()).select("cost_usd").collect().height
    0
    """
    where = lab if is_url(lab) else Path(lab)
    return opened_log(Source(where, own_prices(lab, prices), day))


def demo_log() -> Log:
    """Four weeks of made-up traffic of an org that says so, `made-up-data`, as `scan` gives it.

    Returns:
        As `scan`; how it was made is in `data/demo/README.md`.

    >>> import lectr_lab as lectr
    >>> lectr.table(lectr.demo_log().select("started_at", "cost_usd", "feature", "model_actual").head(2))
    started                       cost  feature         model actual
    2026-10-26 00:01:01 UTC  $0.000058  ticket-triage   openai/gpt-oss-20b
    2026-10-26 00:03:56 UTC   $0.00010  search-answers  gpt-4.1-mini-2025-04-14
    """
    return scan(shipped_traffic())


def own_prices(
    lab: Path | str, prices: PriceList | Path | str | None = None
) -> PriceList:
    """The user's own prices that `scan` takes for a lab folder; beside a prefix of an
    object store lie none."""
    if isinstance(prices, tuple):
        return prices
    if prices is not None:
        return read_prices(prices)
    file = Path(lab) / PRICE_FILE
    return read_prices(file) if not is_url(lab) and file.exists() else ()

"""The rows of a lab folder: what was logged, each with what it cost."""

from datetime import date
from pathlib import Path

import polars as pl

from lectr_lab.analysis.pricing.answered_once import answered_once, may_be_repeated
from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.pricing.token_ratio import (
    ESTIMATES,
    estimated,
    may_be_silent,
    ratios,
    reported,
)
from lectr_lab.core.pricing.price import PriceList
from lectr_lab.log import scan as log_scan
from lectr_lab.shipping.remote import scan_remote


def lab_rows(
    lab: Path | str,
    prices: PriceList,
    day: date | None = None,
) -> pl.LazyFrame:
    """The events of a lab folder as they are now, with what they cost.

    Args:
        lab: a lab folder, in use or not; or the URL of a prefix of an object store.
        prices: the user's own; none for those of the lists alone.
        day: the files of this day alone (UTC).

    Raises:
        LogError: there is no such lab folder.
        StoreError, ConfigError: as of `shipping.remote.listed`.

    >>> import tempfile
    >>> lab_rows(Path(tempfile.mkdtemp()), ()).select("cost_usd").collect().height
    0
    """
    if isinstance(lab, str):
        rows = scan_remote(lab, day, day)
    else:
        rows = log_scan.scan(lab, day)
    return priced(counted_log(rows), prices)


def counted_log(
    log: pl.LazyFrame,
    *,
    makers: pl.LazyFrame | None = None,
    per_model: pl.LazyFrame | None = None,
) -> pl.LazyFrame:
    """The log, with what is known of its tokens beyond what each row says.

    Args:
        log: events, one a row.
        makers: where the responses that it fetches may be whole already; the log itself,
            unless told.
        per_model: `ratios`, where they are learned from more than this log.
    """
    # What may be repeated is held whole to be put in order: so it is taken apart from
    # silent streams, of which a log has many more.
    repeated, silent = may_be_repeated(), may_be_silent()
    once = answered_once(log.filter(repeated), log if makers is None else makers)
    some = pl.concat([log.filter(silent & ~repeated), once])
    learned = ratios(reported(log)) if per_model is None else per_model
    usual = log.filter(~(repeated | silent)).with_columns(
        pl.lit(None, dtype).alias(name) for name, dtype in ESTIMATES.items()
    )
    return pl.concat([usual, estimated(some, learned)])

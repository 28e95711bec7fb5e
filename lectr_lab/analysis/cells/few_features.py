"""No more features in a part's cells than can be told apart at a glance.

A service that names a feature for each request would make a cell of each row. Beyond the
most used of a part, the others share one name there; what is asked by feature is then
read from that part's rows (`planned.py`), and all else from its cells as ever.
"""

import polars as pl

MOST_FEATURES = 2_000
OTHERS = "\x00others"
"""No header can say that."""

_OF = ["org", "feature"]


def with_few_features(log: pl.DataFrame) -> tuple[pl.DataFrame, bool]:
    """A part of a log in which so many features have a name of their own.

    Args:
        log: events, one a row.

    Returns:
        The same rows in their order, and whether any of them has lost its name. Of
        features that are used alike, the first by name keep theirs.

    >>> from lectr_lab.log.schema import frame
    >>> with_few_features(frame([]))[1]
    False
    """
    named = log.lazy().filter(pl.col("feature").is_not_null())
    used = named.group_by(_OF).agg(pl.len().alias("n")).collect()
    if used.height <= MOST_FEATURES:
        return log, False
    first = used.sort("n", *_OF, descending=[True, False, False])
    own = first.head(MOST_FEATURES).select(*_OF, pl.lit(True).alias("own"))
    told = log.select(_OF).join(own, on=_OF, how="left", maintain_order="left")
    is_other = told["own"].is_null() & told["feature"].is_not_null()
    name = pl.when(is_other).then(pl.lit(OTHERS)).otherwise("feature")
    return log.with_columns(name.alias("feature")), True

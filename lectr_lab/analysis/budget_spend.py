"""What budgets' windows have spent, by the log: `python -m lectr_lab.analysis.budget_spend`.

A short-lived process beside the proxy, told on its input which log and which budgets. It
adds to the sums what they lack: of requests that passed while nothing was counted, or
before the state was deleted.
"""

import os
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import polars as pl

from lectr_lab.analysis.scan import scan
from lectr_lab.budgets.changes import Change
from lectr_lab.budgets.meters import PUSD_PER_USD, Meter, Sum, Whose
from lectr_lab.budgets.recovery_order import RecoveryOrder
from lectr_lab.budgets.store import Store
from lectr_lab.budgets.windows import RUN_KEPT_S
from lectr_lab.core.identity.keyed_hash import KeyedHash
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.hash_secret import hash_secret

_COLUMNS = [column for column in Whose._fields if column != "key"]


def spent(log: pl.LazyFrame, begins: datetime, ends: datetime) -> pl.LazyFrame:
    """What requests of a period cost, by whom they were.

    Args:
        log: as `scan` gives it, with costs.
        begins: a request that began then or later counts.
        ends: one that began then or later does not.

    Returns:
        One row for each org, feature, user and session: those columns, `pusd` (1e-12
        USD, rounded up for each request), `requests`, `unpriced`. Imported rows are
        none of a budget's, and what a plan covers costs nothing.
    """
    own = pl.col("source").is_null() & (pl.col("outcome") != "refused")
    period = pl.col("started_at").is_between(begins, ends, closed="left")
    pusd = (pl.col("cost_usd") * PUSD_PER_USD).round().cast(pl.Int64)
    plan = pl.col("credential").eq_missing("plan")
    used = pl.col("input_tokens").is_not_null()
    return (
        log.filter(own, period, ~plan)
        .group_by(_COLUMNS)
        .agg(
            pl.len().alias("requests"),
            pusd.sum().alias("pusd"),
            (used & pl.col("cost_usd").is_null()).sum().alias("unpriced"),
        )
    )


def lacking(
    rows: Iterable[dict[str, object]],
    meter: Meter,
    at_s: float,
    before: dict[str, int],
) -> list[Change]:
    """What the sums of a budget lack.

    Args:
        rows: as `spent` gives them, of the budget's present window.
        meter: the budget.
        at_s: a moment in that window.
        before: what its sums said at that moment, by the digits of their keys.
    """
    found: dict[bytes, Change] = {}
    for row in rows:
        whose = Whose(key=None, **{name: row[name] for name in _COLUMNS})  # type: ignore[arg-type]
        one: Sum | None = meter.sum_of(whose, at_s)
        if one is None:
            continue
        change = found.get(one.key, Change(one))
        found[one.key] = change._replace(
            spent=change.spent + int(str(row["pusd"])),
            requests=change.requests + int(str(row["requests"])),
            unpriced=change.unpriced + int(str(row["unpriced"])),
        )
    return [_beyond(one, before.get(key.hex())) for key, one in found.items()]


def _beyond(found: Change, before: int | None) -> Change:
    """More than the sum had; where there was one, its counts of requests stand."""
    if before is None:
        return found
    return Change(found.sum, spent=max(0, found.spent - before))


def add_what_is_lacking(order: RecoveryOrder) -> None:
    """Read the log, and add to the sums.

    Raises:
        LabError: the log or the prices cannot be read.
        OSError: the sums cannot be written.
    """
    lab = LabFolder.existing(Path(order.lab))
    hashes = KeyedHash(hash_secret(lab, os.environ))
    meters = [Meter(budget, hashes) for budget in order.budgets]
    log, ends = scan(lab.root).lazy(), datetime.fromtimestamp(order.at_s, UTC)
    found: dict[float, list[dict[str, object]]] = {}
    store = Store(lab, meters)
    try:
        for meter in meters:
            start_s = meter.window(order.at_s).start_s or order.at_s - RUN_KEPT_S
            if start_s not in found:
                begins = datetime.fromtimestamp(start_s, UTC)
                rows = spent(log, begins, ends).collect(engine="streaming")
                found[start_s] = rows.to_dicts()
            changes: list[Change] = []
            if "key" not in meter.columns:
                before = order.before.get(meter.id, {})
                changes = lacking(found[start_s], meter, order.at_s, before)
            read_before_s = order.read_up_to_s.get(meter.id, 0.0)
            store.add_from_log(meter, changes, order.at_s, read_before_s)
    finally:
        store.close()


def main() -> None:
    """Do as the line on standard input says."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=RecoveryOrder)
    os.nice(10)
    add_what_is_lacking(order)


if __name__ == "__main__":
    main()

"""How each budget stands, read from the sums: by whoever may read the lab folder."""

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from lectr_lab.budgets.held import alive, amounts
from lectr_lab.budgets.lock import Lock
from lectr_lab.budgets.meters import PUSD_PER_USD, Meter
from lectr_lab.budgets.store import FOLDER
from lectr_lab.budgets.table import Cell, Table
from lectr_lab.budgets.windows import RUN_KEPT_S
from lectr_lab.log.folder import LabFolder

How = Literal["ok", "near", "reached"]


class BudgetState(msgspec.Struct, frozen=True, kw_only=True):
    """One budget in its present window.

    Of a budget that is one for each of several, the dollars are those of whoever spent
    the most, and `sums` says of how many. US dollars; the other numbers are requests.
    """

    name: str
    action: str
    usd: float
    per: str
    whom: str = msgspec.field(name="for")
    tz: str
    begins: datetime | None  # UTC; a run has neither
    ends: datetime | None
    state: How = "ok"
    spent_usd: float = 0.0
    held_usd: float = 0.0  # reserved for requests that run
    lost_usd: float = 0.0  # reserved by processes that died; counts as spent
    left_usd: float
    sums: int = 0
    reached: int = 0
    requests: int = 0
    unpriced: int = 0  # passed, and counted as nothing
    estimated: int = 0  # nobody said what they used: counted by their bound
    refused: int = 0
    bounded: bool = True  # every reservation was a bound
    forgotten: int = 0  # sums that made room for others
    read_log: bool = False  # what came before the sums was looked for in the log


def budget_states(
    lab: LabFolder, meters: Iterable[Meter], now_s: float | None = None
) -> list[BudgetState]:
    """How budgets stand.

    Args:
        lab: the lab folder.
        meters: its budgets.
        now_s: seconds since 1970; None: now.

    Returns:
        One each, in their order. Where nothing was counted yet, all is left.
    """
    at_s = time.time() if now_s is None else now_s
    return [_state(lab.state / FOLDER, meter, at_s) for meter in meters]


def _state(folder: Path, meter: Meter, now_s: float) -> BudgetState:
    state = _untouched(meter, now_s)
    try:
        table = Table(folder / f"{meter.id}.spent", None, write=False)
    except OSError:
        return state
    try:
        cells = [(at, c) for at, c in table.all_cells() if _is_now(c, meter, now_s)]
        changed = {"forgotten": table.forgotten, "read_log": table.read_up_to_s > 0}
    finally:
        table.close()
    if cells:
        changed |= _of_cells(cells, _living(folder, meter), meter)
    return msgspec.structs.replace(state, **changed)


def _untouched(meter: Meter, now_s: float) -> BudgetState:
    """A budget of which nothing is spent."""
    budget, window = meter.budget, meter.window(now_s)
    ends = not budget.by_run
    return BudgetState(
        name=budget.title,
        action=budget.action,
        usd=budget.usd,
        per=budget.per,
        whom=budget.told_whom,
        tz=budget.tz,
        begins=datetime.fromtimestamp(window.start_s, UTC) if ends else None,
        ends=datetime.fromtimestamp(window.end_s, UTC) if ends else None,
        left_usd=budget.usd,
    )


def _of_cells(
    cells: list[tuple[int, Cell]], living: dict[int, int], meter: Meter
) -> dict[str, Any]:
    """What sums of the present window say together."""
    at, most = max(cells, key=lambda pair: pair[1].spent + pair[1].reserved)
    all_of = [cell for _, cell in cells]
    held = min(living.get(at, 0), most.reserved)
    left = max(0, meter.limit - most.spent - most.reserved)
    return {
        "state": _how(most, meter),
        "spent_usd": most.spent / PUSD_PER_USD,
        "held_usd": held / PUSD_PER_USD,
        "lost_usd": (most.reserved - held) / PUSD_PER_USD,
        "left_usd": left / PUSD_PER_USD,
        "sums": len(cells),
        "reached": sum(_how(cell, meter) == "reached" for cell in all_of),
        "requests": sum(cell.requests for cell in all_of),
        "unpriced": sum(cell.unpriced for cell in all_of),
        "estimated": sum(cell.estimated for cell in all_of),
        "refused": sum(cell.refused for cell in all_of),
        "bounded": not any(cell.unbounded for cell in all_of),
    }


def _is_now(cell: Cell, meter: Meter, now_s: float) -> bool:
    if meter.budget.by_run:
        return now_s - cell.touched_s <= RUN_KEPT_S
    return cell.start_s <= now_s < cell.end_s


def _how(cell: Cell, meter: Meter) -> How:
    """Reached, too, where so little is left that a request was refused for it."""
    near = cell.spent + cell.reserved >= meter.near
    if cell.spent >= meter.limit or (near and cell.refused):
        return "reached"
    return "near" if cell.spent >= meter.near else "ok"


def _living(folder: Path, meter: Meter) -> dict[int, int]:
    """What living processes have reserved, by place."""
    total: dict[int, int] = {}
    for path in alive(folder, meter.id):
        for at, pusd in amounts(path).items():
            total[at] = total.get(at, 0) + pusd
    return total


def release(lab: LabFolder, meters: Sequence[Meter]) -> dict[str, float]:
    """Give back what dead processes had reserved.

    Args:
        lab: the lab folder.
        meters: its budgets.

    Returns:
        US dollars given back, by the budget's name; those of which some was.

    Raises:
        OSError: the sums cannot be read or written.
    """
    folder, given = lab.state / FOLDER, {}
    if not folder.is_dir():
        return {}
    lock = Lock(folder / "lock")
    lock.wait()
    try:
        for meter in meters:
            pusd = _released(folder, meter)
            if pusd:
                given[meter.budget.title] = pusd / PUSD_PER_USD
    finally:
        lock.close()
    return given


def _released(folder: Path, meter: Meter) -> int:
    try:
        table = Table(folder / f"{meter.id}.spent", None)
    except FileNotFoundError:
        return 0
    try:
        living, total = _living(folder, meter), 0
        for at, cell in table.all_cells():
            lost = cell.reserved - living.get(at, 0)
            if lost > 0:
                table.write(at, cell._replace(reserved=cell.reserved - lost))
                total += lost
        return total
    finally:
        table.close()

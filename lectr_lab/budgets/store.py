"""The sums of all budgets of a lab, in `state/budgets/`, for any number of processes.

A request's dearest cost is reserved before it is sent, and what it did cost is put in
the place of that. Sums of what is spent and reserved never pass a budget that stops.
What a request did cost is written with the next reservation or by `pay`, whichever comes
first: until then what it had reserved stands for it, also where the process dies. Where
many requests come, what the next may cost is reserved at once: see `leases`.
"""

import errno
import secrets
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from lectr_lab.budgets.answered import Answered
from lectr_lab.budgets.changes import Change, Owed, changed
from lectr_lab.budgets.held import Held, alive
from lectr_lab.budgets.leases import Leases
from lectr_lab.budgets.lock import Lock
from lectr_lab.budgets.meters import Meter, Sum
from lectr_lab.budgets.table import FEW_CELLS, MANY_CELLS, MOST_PUSD, Cell, Table
from lectr_lab.files import strange
from lectr_lab.log.folder import FOLDER_MODE, LabFolder

NEAR, REACHED, REFUSED = 1, 2, 4
FOLDER = "budgets"
_MOST_OWED = 100_000
_LOOKS_EVERY_S = 1.0


class Reached(NamedTuple):
    """Why a request is refused: 1e-12 USD, as they stood."""

    sum: Sum
    spent: int
    reserved: int
    wanted: int
    first: bool  # in its window


class Told(NamedTuple):
    """What is said once in a window: a budget is near its end, or has reached it."""

    sum: Sum
    word: int
    spent: int


class Store:
    """This process's share in the sums.

    Args:
        lab: a lab folder that exists.
        meters: the budgets.
        now_s: the time of day, seconds since 1970.
        reopened: told when the files were not there any more, and others are.

    Raises:
        OSError: the files cannot be opened or made; `strerror` says why.
    """

    def __init__(
        self,
        lab: LabFolder,
        meters: Sequence[Meter],
        now_s: Callable[[], float] = time.time,
        reopened: Callable[[], None] = lambda: None,
    ) -> None:
        self.folder, self.meters, self._now_s = lab.state / FOLDER, meters, now_s
        self._reopened = reopened
        self._owed: dict[bytes, Owed] = {}
        self.told: list[Told] = []  # that nobody has said yet
        self.not_written = self.unlocked = self.failed = 0
        self.problem: str | None = None
        self.new: list[Meter] = []  # sums begin now: the log knows what was before
        self.alone = True
        self._looked_s = 0.0
        self._opened = False
        self._leases = Leases()
        self._open()

    def reserve(
        self, sums: Sequence[Sum], pusd: int, *, certain: bool = True
    ) -> Reached | None:
        """Set aside what a request may cost, in all of its sums or in none.

        Args:
            sums: where it counts.
            pusd: 1e-12 USD.
            certain: it cannot cost more.

        Returns:
            Why it may not be sent; None where it may. It may, too, where the sums cannot
            be read now, or somebody sits on the lock: that is counted.
        """
        if self._leases.take(sums, pusd):
            if not certain:
                self.settle([Change(one, unbounded=1) for one in sums])
            return None
        if not self._take():
            self._owe_reservation(sums, pusd, certain)
            return None
        try:
            return self._reserve(sums, pusd, certain)
        except OSError as error:
            self._fail(error)
            self._owe_reservation(sums, pusd, certain)
            return None
        finally:
            self._lock.give_back()

    def settle(self, changes: Sequence[Change]) -> None:
        """A request is over: this is to be written."""
        for one, *change in changes:
            owed = self._owed.get(one.key) or self._owe(one)
            if owed is not None:
                owed.add(*change)

    def count(
        self, sums: Sequence[Sum], held: int, spent: int, unpriced: int, estimated: int
    ) -> None:
        """Likewise of one request, in all of its sums.

        Args:
            sums: where it counts.
            held: what was set aside for it, 1e-12 USD.
            spent: what it did cost, 1e-12 USD.
            unpriced: 1 where that is not known.
            estimated: 1 where nobody said what it used.
        """
        for one in sums:
            owed = self._owed.get(one.key) or self._owe(one)
            if owed is not None:
                owed.spent += spent
                owed.reserved -= held
                owed.requests += 1
                owed.unpriced += unpriced
                owed.estimated += estimated

    def _owe(self, one: Sum) -> Owed | None:
        """A sum that is owed nothing yet; None: there are too many."""
        if len(self._owed) >= _MOST_OWED:
            self.not_written += 1
            return None
        owed = self._owed[one.key] = Owed(one)
        return owed

    def pay(self, *, lend: bool = False) -> None:
        """Write what is owed, if the lock can be had.

        Args:
            lend: it is called again soon, so that where many requests come, what those
                that follow may cost can be reserved for them.
        """
        planned = self._leases.plan(lend=lend)
        if not (self._owed or planned) or not self._take():
            return
        try:
            self._pay(planned)
        except OSError as error:
            self._fail(error)
        finally:
            self._lock.give_back()

    @property
    def owes(self) -> bool:
        """Something is still to be written."""
        return bool(self._owed)

    @property
    def lends(self) -> bool:
        """Something is reserved for requests that are still to come."""
        return bool(self._leases)

    @property
    def busy(self) -> bool:
        """Many requests came before the last payment."""
        return self._leases.busy

    def note_answered(self, response: bytes) -> None:
        """A response counted: when it is fetched again, it is not counted again."""
        if self._opened:
            self._answered[0].note(response)

    def is_answered(self, response: bytes) -> bool:
        """A response counted before, in any process."""
        return self._opened and self._answered[0].has(response)

    def add_from_log(
        self,
        meter: Meter,
        found: Sequence[Change],
        up_to_s: float,
        read_before_s: float,
    ) -> None:
        """Add what the log has more than the sums had; waits for the lock. Where it was
        read by another in the meantime, nothing is added.

        Raises:
            OSError: it cannot be written.
        """
        now_s, table = self._now_s(), self._tables[meter.id]
        self._lock.wait()
        try:
            if table.read_up_to_s != read_before_s:
                return
            for change in found:
                at, cell = table.place(change.sum.key, change.sum.window, now_s)
                table.write(at, changed(cell, [change], now_s))
            table.was_read(up_to_s)
        finally:
            self._lock.give_back()

    def read_up_to_s(self) -> dict[str, float]:
        """Up to when the log was read for each budget, by its id; 0.0: not yet."""
        return {name: table.read_up_to_s for name, table in self._tables.items()}

    def nothing_to_read(self, up_to_s: float) -> None:
        """There is no log: the sums are whole."""
        for table in self._tables.values():
            table.was_read(up_to_s)

    def spent(self, meter: Meter) -> dict[bytes, int]:
        """What its sums say now, by their keys."""
        cells = self._tables[meter.id].all_cells()
        return {cell.key: cell.spent for _, cell in cells}

    def close(self) -> None:
        """Write what is owed, and leave."""
        self.pay()
        if self._opened:
            self._close_files()

    def _reserve(self, sums: Sequence[Sum], pusd: int, certain: bool) -> Reached | None:
        now_s, found = self._now_s(), []
        for one in sums:
            at, cell, given_back = self._settled(one, now_s)
            if one.meter.stops and cell.spent + cell.reserved + pusd > one.meter.limit:
                refused_told = (cell.refused_told | REFUSED) + 8
                self._put(one, at, cell._replace(refused_told=refused_told), given_back)
                first = not cell.told & REFUSED
                return Reached(one, cell.spent, cell.reserved, pusd, first)
            found.append((one, at, cell, given_back))
        for one, at, cell, given_back in found:
            self._leases.note(one, pusd)
            taken = min(cell.reserved + pusd, MOST_PUSD)
            numbers = (taken, cell.unbounded + (not certain))
            # As _replace would, in a third of the time.
            reserved = Cell._make(cell[:5] + numbers + cell[7:])
            self._put_and_lend(one, at, reserved, given_back + pusd)
        return None

    def _settled(self, one: Sum, now_s: float) -> tuple[int, Cell, int]:
        """A sum's place; what it says with what is owed to it; and how much less of it
        this process holds by then."""
        at, cell = self._tables[one.meter.id].place(one.key, one.window, now_s)
        owed, lent = self._owed.get(one.key), self._leases.left(one.key)
        if owed is None and not lent:
            return at, cell, 0
        change = Change(one) if owed is None else owed.together
        change = change._replace(reserved=change.reserved - lent)
        return at, changed(cell, [change], now_s), change.reserved

    def _put_and_lend(self, one: Sum, at: int, cell: Cell, held: int) -> None:
        """Write a sum that is settled, with what is set aside for the next requests."""
        room = one.meter.limit - cell.spent - cell.reserved
        lent = self._leases.size(one.key, room)
        if lent:
            cell = cell._replace(reserved=cell.reserved + lent)
        self._put(one, at, cell, held + lent, lent)

    def _put(self, one: Sum, at: int, cell: Cell, held: int, lent: int = 0) -> None:
        """Write a sum that is settled, and what this process holds of it."""
        meter = one.meter
        if cell.spent >= meter.near and (word := _word(cell, meter)):
            cell = cell._replace(refused_told=cell.refused_told | word)
            self.told.append(Told(one, word, cell.spent))
        self._tables[meter.id].write(at, cell)
        self._owed.pop(one.key, None)
        self._leases.put(one.key, lent)
        if held:
            self._held[meter.id].add(at, held)

    def _pay(self, planned: Sequence[Sum]) -> None:
        now_s = self._now_s()
        sums = {key: owed.sum for key, owed in self._owed.items()}
        for one in (sums | {one.key: one for one in planned}).values():
            at, cell, held = self._settled(one, now_s)
            self._put_and_lend(one, at, cell, held)

    def _owe_reservation(self, sums: Sequence[Sum], pusd: int, certain: bool) -> None:
        self.settle([Change(one, 0, pusd, unbounded=not certain) for one in sums])

    def _take(self) -> bool:
        """Have the lock of files that are there."""
        now_s = time.monotonic()
        if now_s - self._looked_s >= _LOOKS_EVERY_S:
            self._looked_s = now_s
            self._look()
        if not self._opened:
            return False
        if self._lock.take():
            return True
        self.unlocked += 1
        return False

    def _look(self) -> None:
        """Once a second: are the files still those of their names?"""
        try:
            if self._opened and not self._intact:
                self._close_files()
            if not self._opened:
                self.new = []
                self._open()
                # What these were owed is in the log, which is read for them.
                new = {meter.id for meter in self.new}
                self._owed = {
                    key: owed
                    for key, owed in self._owed.items()
                    if owed.sum.meter.id not in new
                }
                self._reopened()
        except OSError as error:
            self._fail(error)

    @property
    def _intact(self) -> bool:
        return self._lock.intact and all(t.intact for t in self._tables.values())

    def _fail(self, error: OSError) -> None:
        self.failed += 1
        self.problem = error.strerror or "they cannot be used"

    def _open(self) -> None:
        _make(self.folder)
        self._lock = Lock(self.folder / "lock")
        self._tables: dict[str, Table] = {}
        self._held: dict[str, Held] = {}
        self._answered: list[Answered] = []
        self._lock.wait()
        try:
            self.alone = True
            for meter in self.meters:
                self._open_one(meter)
            self._answered.append(Answered(self.folder / "answered"))
            self._opened, self.problem = True, None
        except OSError:
            self._close_files()
            raise
        finally:
            if self._opened:
                self._lock.give_back()
        self._looked_s = time.monotonic()

    def _open_one(self, meter: Meter) -> None:
        path = self.folder / f"{meter.id}.spent"
        cells = MANY_CELLS if meter.budget.each else FEW_CELLS
        others = list(alive(self.folder, meter.id, remove=True))
        try:
            table = Table(path, cells)
        except OSError:
            if not path.is_file():
                raise
            path.replace(path.with_suffix(".damaged"))  # the log has what was in it
            table = Table(path, cells)
        self._tables[meter.id] = table
        self.alone = self.alone and not others
        if table.created:
            self.new.append(meter)
        held = self.folder / f"{meter.id}.{secrets.token_hex(8)}.held"
        self._held[meter.id] = Held(held, table.cells)

    def _close_files(self) -> None:
        self._opened = False
        self._leases = Leases()
        for held in self._held.values():
            held.close()
        for table in self._tables.values():
            table.close()
        for answered in self._answered:
            answered.close()
        self._lock.close()


def _word(cell: Cell, meter: Meter) -> int:
    """What is to be said of a sum now, and was not."""
    if cell.spent < meter.near or cell.told & REACHED:
        return 0
    if cell.spent >= meter.limit:
        return REACHED
    return 0 if cell.told & NEAR else NEAR


def _make(folder: Path) -> None:
    folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
    if folder.is_symlink() or not folder.is_dir():
        mode = folder.stat(follow_symlinks=False).st_mode
        raise OSError(errno.ENOTDIR, strange(mode) or "it is a file", str(folder))

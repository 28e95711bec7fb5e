"""What a process has set aside of a sum for requests that are still to come.

Where many come, most are let through from memory, without the lock. A lease is reserved
in the sum as a request's bound is: it is never more than what is left, and counts as
spent where its process dies. It is a small part of what is left, so that near the limit
there is none, and is given back when few requests come.
"""

from collections.abc import Sequence

from lectr_lab.budgets.meters import Sum

PART = 64
"""A lease is at most so small a part of what is left: others may need the rest."""

BUSY = 4
"""Requests between two payments, from which on a lease is worth it."""

_TIMES_TAKEN = 2
_FEWEST = 2  # requests that it has to suffice for
_MOST_SUMS = 10_000


class _Lease:
    """Of one sum; 1e-12 USD."""

    __slots__ = ("fewest", "left", "sum", "taken", "times", "wanted")

    def __init__(self, of: Sum) -> None:
        self.sum = of
        self.left = self.wanted = self.fewest = 0
        self.taken = self.times = 0  # since the last payment


class Leases:
    """One process's, by the keys of their sums; `busy` where some were worth it at the
    last payment."""

    def __init__(self) -> None:
        self._all: dict[bytes, _Lease] = {}
        self.busy = False

    def take(self, sums: Sequence[Sum], pusd: int) -> bool:
        """Take a request's bound from the leases of all of its sums, or from none."""
        every = self._all
        for one in sums:
            lease = every.get(one.key)
            if lease is None or lease.left < pusd:
                return False
        for one in sums:
            lease = every[one.key]
            lease.left -= pusd
            lease.taken += pusd
            lease.times += 1
        return True

    def note(self, one: Sum, pusd: int) -> None:
        """A request's bound was reserved in the sum itself."""
        lease = self._all.get(one.key)
        if lease is None:
            if len(self._all) >= _MOST_SUMS:
                return
            lease = self._all[one.key] = _Lease(one)
        lease.taken += pusd
        lease.times += 1

    def left(self, key: bytes) -> int:
        """What is set aside and no request has."""
        lease = self._all.get(key)
        return 0 if lease is None else lease.left

    def size(self, key: bytes, room: int) -> int:
        """What is to be set aside anew, of what is left of a sum."""
        lease = self._all.get(key)
        if lease is None or not lease.wanted:
            return 0
        pusd = min(lease.wanted, room // PART)
        return pusd if pusd >= lease.fewest else 0

    def put(self, key: bytes, pusd: int) -> None:
        """So much is set aside now, and nothing of what was before."""
        lease = self._all.get(key)
        if lease is not None:
            lease.left = pusd

    def plan(self, *, lend: bool) -> list[Sum]:
        """At a payment: how much each is to be, by what was taken since the last.

        Args:
            lend: some may be set aside; else all is given back.

        Returns:
            The sums to write for that.
        """
        to_write = []
        self.busy = False
        for key, lease in list(self._all.items()):
            busy = lend and lease.times >= BUSY
            self.busy = self.busy or busy
            lease.wanted = lease.taken * _TIMES_TAKEN if busy else 0
            lease.fewest = lease.taken // max(1, lease.times) * _FEWEST
            lease.taken = lease.times = 0
            if busy or lease.left:
                to_write.append(lease.sum)
            else:
                del self._all[key]
        return to_write

    def __bool__(self) -> bool:
        """Something is set aside."""
        return any(lease.left for lease in self._all.values())

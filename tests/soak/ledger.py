"""What was asked, what was answered and when: a book outside the product.

It also says what must follow from that: which rows must be there, and what they must
hold.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from soak.replies import KINDS, feature, tokens_of


@dataclass(slots=True)
class Life:
    """One process of a proxy, from its start to its end. Times are monotonic."""

    name: str
    lab: str
    pid: int
    port: int
    started_s: float
    killed_s: float | None = None
    ended: bool = False  # it was told to stop, or was killed
    samples: list[tuple[float, int]] = field(default_factory=list)  # MiB, open files
    internal_errors: int = 0


@dataclass(slots=True)
class Asked:
    """One request. `left`: its client went away by intent, so nothing is owed to it."""

    n: int
    kind: str
    life: Life
    sent_s: float
    left: bool = False
    ended_s: float | None = None
    fault: str | None = None
    reached: int = 0  # how often the provider got it whole

    @property
    def answered(self) -> bool:
        """Its client got what the provider said, to the end of it."""
        return self.ended_s is not None and self.fault is None and not self.left

    @property
    def excused(self) -> bool:
        """Its proxy was killed before it was answered."""
        killed_s = self.life.killed_s
        ended_s = float("inf") if self.ended_s is None else self.ended_s
        return killed_s is not None and ended_s >= killed_s


class Row(NamedTuple):
    """What the log says of one request."""

    feature: str | None
    event_id: bytes
    status: int | None
    outcome: str | None
    input_tokens: int | None
    output_tokens: int | None
    token_source: str | None
    facts_truncated: bool | None


class Found(NamedTuple):
    """What the rows of a lab are against the book, as numbers of requests."""

    due: int
    lost: list[str]  # due, and not there
    lost_late: int  # answered, but too short before a kill to be due
    doubled: list[str]
    unasked: list[str]
    wrong: list[str]  # there, and saying something else than what was
    truncated: int  # there, without tokens, and saying that there was no time for them


class Ledger:
    """All requests of a soak, by their numbers."""

    def __init__(self, durable_s: float = 1.0) -> None:
        self.asked: dict[int, Asked] = {}
        self.durable_s = durable_s

    def ask(self, kind: str, life: Life, now_s: float, *, left: bool = False) -> Asked:
        """Note a request that is about to be sent."""
        one = Asked(len(self.asked), kind, life, now_s, left)
        self.asked[one.n] = one
        return one

    def reached(self, n: int) -> None:
        """The provider has it."""
        if n in self.asked:
            self.asked[n].reached += 1

    def of(self, lab: str) -> Iterator[Asked]:
        """The requests to the proxies of one lab."""
        return (one for one in self.asked.values() if one.life.lab == lab)

    def is_due(self, one: Asked) -> bool:
        """Its row must be there.

        Of a proxy that ended in peace, also where the client left: the proxy had it.
        """
        killed_s = one.life.killed_s
        if KINDS[one.kind].outcome is None:
            return False
        if killed_s is None:
            return one.answered or one.reached > 0
        return one.answered and one.ended_s < killed_s - self.durable_s  # type: ignore[operator]

    def unserved(self) -> list[str]:
        """Valid requests that their proxy, alive, did not answer as the provider did."""
        return [
            f"{feature(one.n)} ({one.kind}, {one.life.name}): {one.fault or 'no end'}"
            for one in self.asked.values()
            if not (one.left or one.answered or one.excused)
        ]

    def asked_twice(self) -> list[str]:
        """Requests that the provider got more than once: billed twice."""
        return [feature(o.n) for o in self.asked.values() if o.reached > 1]

    def compare(self, lab: str, rows: Iterable[Row]) -> Found:
        """Hold a lab's rows against the book."""
        book = {feature(one.n): one for one in self.of(lab)}
        seen: Counter[str | None] = Counter()
        ids: Counter[bytes] = Counter()
        wrong = []
        truncated = 0
        for row in rows:
            truncated += _is_truncated(row)
            seen[row.feature] += 1
            ids[row.event_id] += 1
            one = book.get(row.feature or "")
            if one is not None and (why := _differs(one, row)):
                wrong.append(f"{row.feature} ({one.kind}): {why}")
        due = {name for name, one in book.items() if self.is_due(one)}
        late = {name for name, one in book.items() if one.answered} - due
        late = {n for n in late if KINDS[book[n].kind].outcome is not None}
        doubled = [str(f) for f, times in seen.items() if times > 1]
        doubled += [i.hex() for i, times in ids.items() if times > 1]
        unasked = [str(f) for f in seen if not _may_have_row(book.get(f or ""))]
        return Found(
            len(due),
            sorted(due - seen.keys()),
            len(late - seen.keys()),
            doubled,
            unasked,
            wrong,
            truncated,
        )


def _may_have_row(one: Asked | None) -> bool:
    return one is not None and KINDS[one.kind].outcome is not None


def _is_truncated(row: Row) -> bool:
    """What is large is read beside the proxy, in time or not at all."""
    return bool(row.facts_truncated) and row.input_tokens is row.output_tokens is None


def _differs(one: Asked, row: Row) -> str | None:
    """What of a row is not what was; of those that left only that what the provider
    counted is none of another's."""
    kind, here = KINDS[one.kind], (row.input_tokens, row.output_tokens)
    said = one.answered or row.token_source == "provider"
    if kind.tokens and said and not _is_truncated(row) and here != tokens_of(one.n):
        return f"tokens {here} for {tokens_of(one.n)}"
    if not one.answered:
        return None
    if (row.status, row.outcome) != (kind.status, kind.outcome):
        return f"{row.status} {row.outcome} for {kind.status} {kind.outcome}"
    return None

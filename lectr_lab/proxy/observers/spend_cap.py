"""The soft daily cap: what organisations that have one spent today. It only warns.

Prices are looked up in a thread of its own, after the request: nothing waits for it.
The sum begins at 0 with the process and with each day of UTC.
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from lectr_lab.config.settings import OrgSettings
from lectr_lab.core.event import Event
from lectr_lab.core.exchange import Exchange
from lectr_lab.proxy.stderr import say

_EVERY_S = 1.0
_MOST_WAITING = 100_000  # more than a process can serve in a second
_OVER = "has spent its daily_spend_usd of today."
_NO_PRICES = (
    "daily_spend_usd is not watched: genai-prices is not installed. Install "
    "`lectr-lab[lab]`."
)


class SpendWatch:
    """Sums up what is spent, and says once a day who is over their cap.

    Without a cap there is no thread, and no price list is loaded.
    """

    name = "spend_cap"
    at_end_only = True

    def __init__(
        self,
        orgs: Mapping[str, OrgSettings],
        say: Callable[[str], None] = say,
        utc_now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        caps = ((org, own.daily_spend_usd) for org, own in orgs.items())
        self._cap_usd = {org: Decimal(str(cap)) for org, cap in caps if cap is not None}
        self._say, self._utc_now = say, utc_now
        self._waiting: deque[Event] = deque(maxlen=_MOST_WAITING)
        self._day: date | None = None
        self._spent_usd: dict[str, Decimal] = {}
        self._unpriced: dict[str, int] = {}
        self._over: tuple[str, ...] = ()
        self._problem: str | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lectr-spend")

    @property
    def active(self) -> bool:
        """There is a cap."""
        return bool(self._cap_usd)

    def begin(self, exchange: Exchange, body: memoryview) -> None:
        """What a request costs is known when it is over."""

    def ended(self, event: Event) -> None:
        """Take a finished request. Never waits, never fails."""
        if event.org in self._cap_usd:
            self._waiting.append(event)

    def start(self) -> None:
        """Begin to watch, where there is a cap."""
        if self._cap_usd:
            self._thread.start()

    def stop(self) -> None:
        """Price what is waiting, then end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def about(self) -> dict[str, Any]:
        """For whoever looks at /health; no amounts: whoever reaches the port reads it."""
        return {
            "warnings": [self._problem] if self._problem else [],
            "org_warnings": [(org, _OVER) for org in self._over],
        }

    def _run(self) -> None:
        try:
            from lectr_lab.core.pricing.price import price_event
        except ImportError:
            self._problem = _NO_PRICES
            self._say(_NO_PRICES)
            self._cap_usd = {}
            return
        while not self._stopping.wait(_EVERY_S):
            self._sum_up(price_event)
        self._sum_up(price_event)

    def _sum_up(self, price: Callable[[Event], Decimal | None]) -> None:
        today = self._utc_now().date()
        if today != self._day:
            self._day, self._over = today, ()
            self._spent_usd, self._unpriced = {}, {}
        while self._waiting:
            event = self._waiting.popleft()
            cost_usd = price(event)
            if cost_usd is None:
                self._unpriced[event.org] = self._unpriced.get(event.org, 0) + 1
                continue
            spent_usd = self._spent_usd.get(event.org, Decimal(0)) + cost_usd
            self._spent_usd[event.org] = spent_usd
            if spent_usd >= self._cap_usd[event.org] and event.org not in self._over:
                self._over = (*self._over, event.org)
                self._warn(event.org)

    def _warn(self, org: str) -> None:
        unpriced = self._unpriced.get(org, 0)
        self._say(
            f"{org} has spent ${self._spent_usd[org]:.2f} since 00:00 UTC or the "
            f"proxy's start; its daily_spend_usd is {self._cap_usd[org]}"
            + (f" ({unpriced} requests have no known price)." if unpriced else ".")
        )

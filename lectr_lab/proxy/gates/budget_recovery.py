"""What budgets' windows have spent before is read from the log, by a process beside.

It has the log's libraries and low priority, adds what the sums lack, and ends. Where sums
begin, nothing is served before: a state that was deleted does not begin at nothing.
"""

import contextlib
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

import msgspec

from lectr_lab.budgets.meters import Meter
from lectr_lab.budgets.recovery_order import RecoveryOrder
from lectr_lab.log.folder import LabFolder

_MODULE = "lectr_lab.analysis.budget_spend"
WITHIN_S = 30.0


class Recovery:
    """The process, while it runs."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def start(
        self,
        lab: LabFolder,
        meters: Sequence[Meter],
        before: Mapping[str, Mapping[bytes, int]],
        read_up_to_s: dict[str, float],
        *,
        wait: bool = False,
    ) -> None:
        """Begin to read.

        Args:
            lab: whose log.
            meters: the budgets.
            before: what each one's sums say now, 1e-12 USD, by the budget's id.
            read_up_to_s: up to when the log was read for each.
            wait: until it is done, half a minute at most.
        """
        self.stop()
        sums = {
            of: {key.hex(): pusd for key, pusd in keys.items()}
            for of, keys in before.items()
        }
        budgets = tuple(meter.budget for meter in meters)
        now_s = time.time()
        order = RecoveryOrder(str(lab.root), budgets, now_s, sums, read_up_to_s)
        with contextlib.suppress(OSError):
            self._process = subprocess.Popen(
                [sys.executable, "-m", _MODULE],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the proxy, which then stops it
            )
            assert self._process.stdin is not None
            self._process.stdin.write(msgspec.json.encode(order))
            self._process.stdin.close()
            if wait:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(WITHIN_S)

    def stop(self) -> None:
        """End it, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

"""The way from a request to the disk: a bounded queue and one thread that writes.

The request path calls `ended` and goes on. A full queue, or a disk that takes nothing,
costs events, never requests: they are counted, and the count is shown.
"""

import contextlib
import os
import secrets
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from lectr_lab.core.event import Event
from lectr_lab.core.exchange import Exchange
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.frames import Unread
from lectr_lab.log.journal import JournalWriter
from lectr_lab.log.losses import (
    NOTED,
    note_sealer,
    noted_losses,
    unnoted,
    write_losses,
)
from lectr_lab.proxy.stderr import say

# Gathers a burst into one write, and keeps the loss of a kill -9 well under a second.
_GATHER_S = 0.1
_RETRY_S = 1.0
# A part has a footer of 28 KB, so a quiet proxy seals seldom; readers of ours see the
# journal's tail at once all the same.
_SEAL_S = 300.0
# How long the end waits for helpers. What one leaves undone, the next start does.
_LAST_SEAL_S = 10.0
_KILLED_S = 1.0
_NOTES_S = 10.0


_NOT_SYNCED = (
    "The disk does not take what is logged for good (fsync fails): a power cut may take "
    "it. Look at the disk, and at the system's own log."
)


class OutboxCounts(NamedTuple):
    """Events since the proxy started: received = written + dropped + queued.

    And what sealers could not read of the folder's journal, or do.
    """

    received: int
    written: int
    dropped: int
    queued: int
    failing: bool
    unread: Unread = Unread()
    unsealed: bool = False
    sync_failed: bool = False


class Outbox:
    """Events in, journal out: the observer that is the log."""

    name, active = "log", True
    at_end_only = True

    def __init__(
        self,
        lab: LabFolder,
        capacity: int,
        on_first: Callable[[Event], None] | None = None,
        *,
        keep_request_ids: bool = False,
    ) -> None:
        self._lab = lab
        self._capacity = capacity
        self._on_first = on_first
        self._keep_request_ids = keep_request_ids
        self._name = secrets.token_hex(8)
        self._queue: deque[Event] = deque()
        self._received = self._written = self._dropped = self._dropped_shown = 0
        self._failing = self._unsealed = self._sync_failed = False
        self._exposed: list[str] = []
        self._noted_at = -_NOTES_S
        self._unread = Unread()
        self._filled = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lectr-outbox")
        self._writer: JournalWriter | None = None
        self._sealer: subprocess.Popen[bytes] | None = None
        self._compactor: subprocess.Popen[bytes] | None = None
        self._compacted_on = ""

    def begin(self, exchange: Exchange, body: memoryview) -> None:
        """The log holds what is over."""

    def ended(self, event: Event) -> None:
        """Take an event, or count it as dropped. Never waits, never fails."""
        self._received += 1
        if len(self._queue) >= self._capacity:
            self._dropped += 1
            return
        self._queue.append(event)
        if not self._filled.is_set():
            self._filled.set()

    def counts(self) -> OutboxCounts:
        """What became of the events so far."""
        return OutboxCounts(
            self._received,
            self._written,
            self._dropped,
            len(self._queue),
            self._failing or self._sync_failed,
            self._unread,
            self._unsealed,
            self._sync_failed,
        )

    @property
    def stuck(self) -> bool:
        """Events wait that the disk does not take: each second they are tried again."""
        return self._failing

    def about(self) -> dict[str, Any]:
        """For whoever looks at /health."""
        counts = self.counts()
        return {
            "writer": "failing" if counts.failing else "ok",
            "queue_depth": counts.queued,
            "events": {
                "received": counts.received,
                "written": counts.written,
                "dropped": counts.dropped,
            },
            "unread": counts.unread._asdict(),  # of the folder, as it is noted there
            "warnings": [*self._exposed, *_journal_warnings(counts)],
        }

    def start(self) -> None:
        """Begin writing; segments that a dead process left are sealed on the side."""
        self._exposed = [warning] if (warning := self._lab.exposed()) else []
        for warning in self._exposed:
            say(warning, code="folder_exposed", level="warning")
        self._look_at_notes()
        self._seal()
        self._thread.start()

    def stop(self) -> None:
        """Write what is queued, close the journal and seal it.

        Waits for all three, but for sealing not longer than ten seconds.
        """
        self._stopping.set()
        self._filled.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._filled.wait(timeout=_RETRY_S)
            self._stopping.wait(_GATHER_S)
            self._filled.clear()
            self._turn()
        with contextlib.suppress(Exception):
            self._drain()
        if self._queue:
            self._dropped += len(self._queue)
            self._queue.clear()
            self._show_losses()
        if self._dropped:
            lost = f"{self._dropped} of {self._received} events are not in the log."
            say(lost, code="events_dropped", level="error")
        if self._writer is not None:
            self._writer.close()
        if self._compactor is not None:
            _ended(self._compactor, 0)  # which loses nothing: the next one begins anew
        self._seal(wait_s=_LAST_SEAL_S)

    def _turn(self) -> None:
        """One round. Whatever goes wrong in it is in /health, and the next one comes."""
        try:
            self._drain()
            self._hear_sealer()
            self._tend_journal()
            self._look_at_notes()
            if not self._queue:  # nothing waits to show that it goes well again
                self._failing = False
        except Exception:  # noqa: BLE001 - what it says could hold a client's words
            self._failing = True

    def _tend_journal(self) -> None:
        """Make the last events safe from power loss; hand over what is old or large."""
        if self._writer is None:
            return
        before = self._sync_failed
        with contextlib.suppress(OSError):  # written they are; new segments go on
            self._writer.sync()
        self._sync_failed = self._writer.sync_failed
        if self._sync_failed and not before:
            say(_NOT_SYNCED, code="not_synced", level="error")
        if self._writer.due():
            self._writer.rotate()
            self._seal()
        if not self._queue:
            self._compact_closed_days()

    def _drain(self) -> None:
        batch = list(self._queue)  # the request path only ever appends
        if batch and self._write(batch):
            for _ in batch:
                self._queue.popleft()
            if self._on_first is not None:
                on_first, self._on_first = self._on_first, None
                with contextlib.suppress(Exception):  # nobody may be there to be told
                    on_first(batch[0])
        self._show_losses()

    def _write(self, batch: list[Event]) -> bool:
        """False leaves the batch queued: the disk may take it a second later."""
        try:
            if self._writer is None:
                self._writer = JournalWriter(self._lab, max_age_s=_SEAL_S)
            self._writer.append(batch)
        except OSError:
            self._failing = True
            return False
        self._failing = False
        self._written += len(batch)
        return True

    def _show_losses(self) -> None:
        if self._dropped != self._dropped_shown and write_losses(
            self._lab, self._name, self._dropped
        ):
            self._dropped_shown = self._dropped

    def _seal(self, *, wait_s: float = 0) -> None:
        """Finished segments become Parquet.

        Now, or at a later time: the journal is the log as well. A system without a
        process or a file left, or a Python that was removed under us, must not end the
        thread that writes it, nor keep the proxy from starting; a sealer that does not
        end must not keep it from ending.
        """
        try:
            if not (self._lab.segments() or unnoted(self._lab)):
                return
            if self._hear_sealer(wait_s):
                self._sealer = helper_process(self._lab, "lectr_lab.log.seal")
                self._hear_sealer(wait_s)
        except OSError:
            self._unsealed = True
            note_sealer(self._lab, failed=True)

    def _hear_sealer(self, wait_s: float = 0) -> bool:
        """What it could not do is in its exit code, what it could not read in a note.

        Args:
            wait_s: how long it may go on; then it is killed. 0 lets it go on.

        Returns:
            False where it goes on, or was killed.
        """
        if self._sealer is None:
            return True
        code = self._sealer.poll()
        if code is None:
            if not wait_s:
                return False
            code = _ended(self._sealer, wait_s)
        self._sealer = None
        before, self._unsealed = self._unsealed, code != 0
        if code not in (0, NOTED):
            note_sealer(self._lab, failed=True)
        self._noted_at = -_NOTES_S
        self._look_at_notes()
        if self._unsealed and not before:
            fault = "sealing the journal met a fault; `lectr-lab doctor` says which."
            say(fault, code="seal_failed", level="error")
        return code is not None

    def _look_at_notes(self) -> None:
        """What sealers, compactors and readers noted, now and then."""
        now = time.monotonic()
        if now - self._noted_at >= _NOTES_S:
            self._noted_at, self._unread = now, noted_losses(self._lab).unread

    def _compact_closed_days(self) -> None:
        """Once a day, where there is more than today."""
        today = f"date={datetime.now(UTC).date().isoformat()}"
        if today == self._compacted_on:
            return
        self._compacted_on = today
        with contextlib.suppress(OSError):
            if any(day.name != today for day in self._lab.log.iterdir()):
                self._compactor = compactor(self._lab, self._keep_request_ids)


def _journal_warnings(counts: OutboxCounts) -> Iterator[str]:
    if counts.unread.things:
        lost = counts.unread.in_words()
        yield f"Log incomplete: {lost}. `lectr-lab doctor` names the files."
    elif counts.unsealed:
        yield "Sealing the journal met a fault; `lectr-lab doctor` says which."
    if counts.sync_failed:
        yield _NOT_SYNCED


def _ended(process: subprocess.Popen[bytes], wait_s: float) -> int | None:
    """The exit code of a helper that has so long to end; None where it had not."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        return process.wait(wait_s)
    for end in (process.terminate, process.kill):
        end()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_KILLED_S)
            break
    return None


def compactor(lab: LabFolder, keep_request_ids: bool) -> subprocess.Popen[bytes]:
    """Compaction in a process that takes what others leave of one core.

    Nice, in our session, and not SCHED_IDLE: Linux counts a core with an idle process
    as free and wakes requests there, and then compares sessions as wholes, so that a
    request waits a tick (4 ms at the 99th percentile, for 0.7 as it is here).

    Args:
        lab: the folder to compact.
        keep_request_ids: as in the settings.
    """
    flags = ["--keep-request-ids"] if keep_request_ids else []
    process = helper_process(
        lab, "lectr_lab.analysis.cells.upkeep", *flags, POLARS_MAX_THREADS="1"
    )
    with contextlib.suppress(OSError):  # it is over already
        os.setpriority(os.PRIO_PROCESS, process.pid, 19)
    return process


def helper_process(
    lab: LabFolder, module: str, *flags: str, **environ: str
) -> subprocess.Popen[bytes]:
    """A process of its own, of low priority: nothing of it competes with requests."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *flags, str(lab.root)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | environ,
    )

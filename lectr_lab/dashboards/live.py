"""The dashboard as a widget that follows a running proxy, with no CDN.

Only counts go to the browser, as the page's JSON; it draws what has changed and keeps
what is selected.
"""

import json
import re
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import anywidget
import polars as pl
import traitlets
from IPython import get_ipython
from IPython.display import display

from lectr_lab.analysis.scan import scan
from lectr_lab.core.errors import LabError
from lectr_lab.dashboards import sections
from lectr_lab.dashboards.followed import Followed, folder_source
from lectr_lab.dashboards.marks import Note
from lectr_lab.dashboards.page import drawn, framed, write_page
from lectr_lab.dashboards.payload import TITLE
from lectr_lab.dashboards.rows_behind import rows_of
from lectr_lab.dashboards.script import asset, script
from lectr_lab.dashboards.selected import in_words, message_of
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.losses import losses

_LEAST_WAIT_S = 1.0
_REST = 2.0  # after each reading, so many times as long as it took
_RUN_AGAIN = "It follows nothing: run the cell that made it to follow the log again."
_PROGRAM = re.compile(r"_\d+_\d+$")  # session_process_count: jupyter_client's own ids
_STILL_EVERY_S = 20.0  # at most: the page as it is now, for the notebook's file
_STILL_REST = 20.0


class LiveDashboard(anywidget.AnyWidget):
    """A lab's charts, as it is being written to. `stop` ends it; so does `close`."""

    _esm = script("in_place.js", "live.js")
    _css = asset("dashboard.css")
    data = traitlets.Unicode().tag(sync=True)
    recommended = traitlets.Unicode().tag(sync=True)  # escaped HTML, as in the page
    selected = traitlets.Unicode().tag(sync=True)  # what Python selects, as JSON
    place = traitlets.Unicode().tag(sync=True)  # the class of what it is drawn over

    def __init__(
        self,
        folder: Path,
        *,
        title: str = TITLE,
        prices: Any = None,
        tz: str = "UTC",
        by: str = "feature",
        notes: Sequence[str | Note] = (),
        beside: Mapping[str, Any] | None = None,
    ) -> None:
        """Begin to follow a lab folder.

        Raises:
            LabError: there is no such folder, or its prices cannot be followed.
        """
        super().__init__(place=f"lectr-live-{uuid.uuid4().hex}")
        self._folder, self._prices, self._tz = folder, prices, tz
        self._title, self._by = title, by
        self._said = [note for note in notes if isinstance(note, str)]
        self._shown = Followed(
            folder_source(folder, prices, tz, by),
            title=title,
            tz=tz,
            by=by,
            notes=[note for note in notes if not isinstance(note, str)],
            beside=beside,
        )
        self._rows: dict[str, Any] = {}  # of a page that has no kernel to ask
        self._message: dict[str, Any] = {}  # what is selected, as the page says it
        self._ended = threading.Event()
        self._views: int | None = None  # unknown until a browser says that it shows it
        self._output: Any = None  # where JupyterLab keeps the page as it was
        self._kept = "", ""  # what that page shows
        self._keep_at_s: float = 0.0
        self.on_msg(self._on_message)
        self.update()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """It follows its folder."""
        return not self._ended.is_set()

    def update(self) -> bool:
        """Look once, now; say whether there was anything new.

        Raises:
            LabError: the folder cannot be read.
            polars.exceptions.PolarsError: a file changed while it was read.
        """
        if not self._shown.update():
            return False
        self._show(f"live, updated {datetime.now(UTC):%H:%M:%S} UTC")
        return True

    @property
    def selection(self) -> dict[str, Any]:
        """What is selected on the page now, under the names that `select` takes; empty
        where everything is. Of several views of it, on the one that was clicked last."""
        return in_words(self._message, self._by)

    def select(self, **words: Any) -> Self:
        """Select on the page, in the place of what is selected there.

        Args:
            words: `feature` (or what stands in its place), `model`, `provider`, `error`,
                `session`: a name or several; `since` and `until`, as `lectr.select` has
                them. Without any, everything. A name without a bar of its own is
                among all others on the page, and alone in `rows`; times are whole
                steps on the page.

        Raises:
            LabError: a name that the log does not have, or no time.
        """
        log = self._shown.log()
        self._message = message_of(log, words, by=self._by, tz=self._tz)
        self.selected = json.dumps(self._message)
        return self

    def rows(self) -> pl.LazyFrame:
        """The requests that are selected now, with all their columns, as the log is."""
        return rows_of(self._shown.log(), self._message, self._by)

    def stop(self) -> None:
        """Follow no longer; what is shown stays. Idempotent."""
        if self.running:
            self._ended.set()
            self._show("no longer followed")
            self._keep()

    def close(self) -> None:
        """Stop, and leave the notebook."""
        self._ended.set()
        super().close()

    def write(self, path: str | Path, **options: Any) -> Path:
        """Write the log as it is now as a page that opens with the network cut."""
        log = scan(self._folder, self._prices)
        options = losses(LabFolder(self._folder))._asdict() | options
        options = {"title": self._title, "tz": self._tz, "by": self._by} | options
        return write_page(log, path, **options)

    def open(self) -> None:
        """Tell the browser of it, where there is one.

        A program that runs a notebook (nbconvert, papermill) would keep the widget, and
        the page that it exports would fetch a script from a CDN to draw it.
        """
        if not run_by_a_program():
            super().open()

    def _ipython_display_(self) -> None:
        """In JupyterLab, the page, over which the widget draws itself.

        JupyterLab prefers the widget to the page beside it, and of a notebook that is
        opened again shows an error in its place: a widget ends with its kernel.
        """
        if self.comm is None or not sent_by_jupyterlab():
            raise NotImplementedError  # IPython then asks for the bundle
        self._kept = self.data, self.recommended
        self._output = display(self._still(), raw=True, display_id=True)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """The widget; and the page as it is now, where there are no widgets."""
        shown = None if self.comm is None else super()._repr_mimebundle_(**options)
        if shown is None:
            return self._still(), {}
        return shown[0] | {"text/html": self._still()["text/html"]}, shown[1]

    def _still(self) -> dict[str, str]:
        """The page as it is now, of which nothing moves any more."""
        now = datetime.now(UTC)
        note = f"As it was at {now:%H:%M:%S} UTC on {now.day} {now:%B %Y}. {_RUN_AGAIN}"
        body = [self.recommended, sections.notes([*self._said, note])]
        rows = {"rows": self._rows} if self._rows else {}
        page = framed(drawn(self._title, self._shown.drawn("", rows), body))
        return {
            "text/html": f'<div class="{self.place}">{page}</div>',
            "text/plain": f"<dashboard: {self._title}>",
        }

    def _keep(self) -> None:
        """Put a newer page into the notebook, where there is one to put."""
        found = self.data, self.recommended
        if self._output is not None and self._kept != found:
            self._kept = found
            self._output.update(self._still(), raw=True)

    def _show(self, live: str) -> None:
        self.data = self._shown.drawn(live)

    def _on_message(self, _: Any, message: Any, __: Any) -> None:
        """A browser opened a view of it or closed one, selected, or asks for rows."""
        if not isinstance(message, dict):
            return
        if message.get("shown") in (1, -1):
            self._views = max((self._views or 0) + message["shown"], 0)
        if isinstance(message.get("selected"), dict):
            self._message, self.selected = message["selected"], ""
        if message.get("ask") == "rows":
            threading.Thread(target=self._answer, args=(message,), daemon=True).start()

    def _answer(self, message: dict[str, Any]) -> None:
        """Beside the kernel's cells, for a long log takes seconds to look through."""
        self.send(self._shown.answer(message))

    def _follow(self) -> None:
        wait_s = _LEAST_WAIT_S
        while not self._ended.wait(wait_s):
            began = time.perf_counter()
            if self._views != 0:
                self._try()
            wait_s = max(_LEAST_WAIT_S, _REST * (time.perf_counter() - began))

    def _try(self) -> None:
        """An update that a change of files in between only puts off."""
        try:
            self.update()
            said = self._shown.advice()
            if said is not None:
                self._rows = self._shown.carried()
                if self.running:
                    self.recommended = said
                    self._show(f"live, updated {datetime.now(UTC):%H:%M:%S} UTC")
            if self._shown.look_for_odd(self._folder) and self.running:
                self._show(f"live, updated {datetime.now(UTC):%H:%M:%S} UTC")
            self._keep_sometimes()
        except (LabError, OSError, pl.exceptions.PolarsError):
            return  # the next look finds the files in their new places

    def _keep_sometimes(self) -> None:
        began_s = time.monotonic()
        if began_s < self._keep_at_s:
            return
        self._keep()
        took_s = time.monotonic() - began_s
        self._keep_at_s = began_s + max(_STILL_EVERY_S, _STILL_REST * took_s)


def run_by_a_program() -> bool:
    """Whether the running cell was sent by Python, with no browser that draws it.

    JupyterLab, classic and VS Code name messages otherwise; a server that runs cells
    for a browser names the cell.
    """
    parent = _running_cell()
    named = "cellId" in parent.get("metadata", {})
    sent = parent.get("header", {}).get("msg_id", "")
    return not named and _PROGRAM.search(sent) is not None


def sent_by_jupyterlab() -> bool:
    """Whether JupyterLab, or Notebook from 7 on, runs the cell.

    It says which cells were deleted since, as no other does.
    """
    return "deletedCells" in _running_cell().get("metadata", {})


def _running_cell() -> dict[str, Any]:
    """The message that asked for it; empty outside a kernel."""
    shell = get_ipython()
    found: dict[str, Any] = shell.get_parent() if hasattr(shell, "kernel") else {}
    return found

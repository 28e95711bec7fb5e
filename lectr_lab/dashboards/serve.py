"""The dashboard as an ASGI application: a page, and news of it for who asks.

    GET  /…/          the page; with ?token=… it is opened, once
    GET  /…/data      ?after=n: what is newer than version n, or 204
    POST /…/rows      the requests behind a selection (dashboards/rows_behind.py)

The log is read when a page asks, never more often than it can be, and by one thread at a
time: a dashboard that nobody looks at costs nothing.
"""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from typing import Any, TypeVar
from urllib.parse import parse_qs

import msgspec
import polars as pl

from lectr_lab.core.errors import LabError
from lectr_lab.dashboards.doorman import Doorman, Refusal, headers_of
from lectr_lab.dashboards.followed import Followed
from lectr_lab.dashboards.page import drawn
from lectr_lab.proxy.server.body import (
    ClientGone,
    Receive,
    Scope,
    TooLarge,
    TooLate,
    read_body,
)

_LEAST_WAIT_S = 0.5
_REST = 2.0  # after each reading, so many times as long as it took
_PATIENCE_S = 1.0  # a page that asks for news waits so long for a reading to end
_ROWS_AT_ONCE = 2
_ROWS_WAITING = 16
_MOST_ASKED_BYTES = 256 * 1024
_T = TypeVar("_T")
_HTML, _JSON, _TEXT = "text/html", "application/json", "text/plain"
_BUSY = Refusal(503, "Too much is asked at once. Select again in a moment.")
_UNKNOWN = Refusal(
    404, "There is nothing here. The terminal says where the dashboard is."
)
_UNREADABLE = Refusal(400, "This is no question for rows.")
_GUARDS = {
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_POLICY = "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
# A page of its own that goes on: a cookie that is strict is not sent where a link from
# elsewhere leads, but where our own page does.
_SAID = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Dashboard</title>'
_ENTER = f'{_SAID}<meta http-equiv="refresh" content="0;url=./">'


class Reply(msgspec.Struct, frozen=True):
    """What is sent back."""

    status: int
    body: bytes = b""
    kind: str = _TEXT
    cookie: str = ""


class DashboardServer:
    """Serves what `follow` gives, to who comes with the token of `doorman`.

    `follow` is called until it succeeds: a log that is not there yet is waited for.
    `still`: the log does not change.
    """

    def __init__(
        self,
        follow: Callable[[], Followed],
        doorman: Doorman,
        title: str,
        *,
        still: bool = False,
    ) -> None:
        self._follow, self._doorman, self._still = follow, doorman, still
        self._page = drawn(title, "null", door="served.js", asks="'self'").encode()
        self._shown: Followed | None = None
        self._data, self._advice, self._trouble = "null", "", ""
        self._news: tuple[int, bytes] = (0, b"")
        self._reading: asyncio.Future[None] | None = None
        self._look_at_s = 0.0
        self._rows_waiting = 0
        self._rows_turn = asyncio.Semaphore(_ROWS_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Any) -> None:
        """One request, or the server's beginning and end."""
        if scope["type"] == "lifespan":
            for step in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{step}.complete"})
            return
        try:
            reply = await self._reply(scope, receive)
        except (ClientGone, TooLate):
            return
        except TooLarge:
            reply = _refused(Refusal(413, "This question is too long."))
        await _send(reply, send)

    async def _reply(self, scope: Scope, receive: Receive) -> Reply:
        method, path = scope["method"], scope["path"]
        folder, what = path[: len(self._doorman.folder)], path[1:].partition("/")[2]
        headers, page = headers_of(scope["headers"]), not what
        refusal = self._doorman.stranger(headers, page=page)
        if refusal is not None:
            return _refused(refusal, page=page)
        query = parse_qs(scope["query_string"].decode("latin-1"))
        [token] = query.get("token", [""])[:1]
        ours = folder == self._doorman.folder
        if ours and page and token and method == "GET":
            cookie = self._doorman.opened_by(token, headers)
            if cookie is not None or self._doorman.unknown(headers) is None:
                return Reply(200, _ENTER.encode(), _HTML, cookie or "")
        refusal = self._doorman.unknown(headers)
        if refusal is not None:
            return _refused(refusal, page=page)
        if not ours:
            return _refused(_UNKNOWN)
        if page and method in ("GET", "HEAD"):
            return Reply(200, self._page, _HTML)
        if what == "data" and method == "GET":
            return await self._newer_than(query.get("after", ["0"])[0])
        if what == "rows" and method == "POST":
            asked = await read_body(scope, receive, _MOST_ASKED_BYTES)
            return await self._rows(headers.get("content-type", ""), asked)
        known = what in ("", "data", "rows")
        return _refused(Refusal(405, "Not in this way.") if known else _UNKNOWN)

    async def _newer_than(self, after: str) -> Reply:
        now_s = asyncio.get_running_loop().time()
        if self._reading is None and now_s >= self._look_at_s:
            self._reading = _beside(self._look)
            self._reading.add_done_callback(lambda _: self._rest(now_s))
        if self._reading is not None and after == str(self._news[0]):
            await asyncio.wait({self._reading}, timeout=_PATIENCE_S)
        version, news = self._news
        return Reply(204) if after == str(version) else Reply(200, news, _JSON)

    def _rest(self, began_s: float) -> None:
        now_s = asyncio.get_running_loop().time()
        self._look_at_s = now_s + max(_LEAST_WAIT_S, _REST * (now_s - began_s))
        self._reading = None

    async def _rows(self, kind: str, asked: bytes) -> Reply:
        try:
            message = msgspec.json.decode(asked, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _refused(_UNREADABLE)
        shown = self._shown
        if not kind.startswith(_JSON) or message.get("ask") != "rows" or shown is None:
            return _refused(_UNREADABLE)
        if self._rows_waiting >= _ROWS_WAITING:
            return _refused(_BUSY)
        self._rows_waiting += 1
        try:
            async with self._rows_turn:
                answer = await _beside(lambda: shown.answer(message))
        finally:
            self._rows_waiting -= 1
        return Reply(200, msgspec.json.encode(answer), _JSON)

    # In a thread of its own

    def _look(self) -> None:
        """Read what is new, and say so before what takes longer is looked at."""
        try:
            if self._shown is None:
                self._shown = self._follow()
            shown = self._shown
            if shown.update() or self._trouble:
                self._data, self._trouble = shown.drawn(self._live()) or "null", ""
                self._publish()
            said = shown.advice()
            if said is not None:
                self._advice, self._data = said, shown.drawn(self._live())
                self._publish()
        except LabError as error:
            if str(error) != self._trouble:
                self._trouble = str(error)
                self._publish()
        except (OSError, pl.exceptions.PolarsError):
            return  # the next look finds the files in their new places

    def _live(self) -> str:
        if self._still:
            return "live, though nothing is added to made-up traffic"
        return f"live, updated {datetime.now(UTC):%H:%M:%S} UTC"

    def _publish(self) -> None:
        version = self._news[0] + 1
        said = {"version": version, "advice": self._advice, "trouble": self._trouble}
        said["data"] = msgspec.Raw(self._data.encode())
        self._news = version, msgspec.json.encode(said)


def _beside(work: Callable[[], _T]) -> "asyncio.Future[_T]":
    """Run it in a thread that does not keep a server from ending."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_T] = loop.create_future()

    def tell(told: Callable[[Any], None], what: Any) -> None:
        if not done.cancelled():
            told(what)

    def run() -> None:
        try:
            told, what = done.set_result, work()
        except Exception as error:  # noqa: BLE001 # it belongs to who waits
            told, what = done.set_exception, error  # type: ignore[assignment]
        if not loop.is_closed():
            loop.call_soon_threadsafe(tell, told, what)

    threading.Thread(target=run, daemon=True).start()
    return done


def _refused(refusal: Refusal, *, page: bool = False) -> Reply:
    if not page:
        return Reply(refusal.status, refusal.sentence.encode())
    said = f"{_SAID}<p>{escape(refusal.sentence)}</p>"
    return Reply(refusal.status, said.encode(), _HTML)


async def _send(reply: Reply, send: Any) -> None:
    headers = {
        **_GUARDS,
        "content-type": f"{reply.kind}; charset=utf-8",
        "content-length": str(len(reply.body)),
    }
    if reply.kind == _HTML:  # beside the page's own, which names its script
        headers["content-security-policy"] = _POLICY
    else:
        headers["content-security-policy"] = "default-src 'none'"
    if reply.cookie:
        headers["set-cookie"] = reply.cookie
    if reply.status == 204:
        del headers["content-length"], headers["content-type"]
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    await send({"type": "http.response.body", "body": reply.body, "more_body": False})

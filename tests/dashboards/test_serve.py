"""The dashboard that is served: what it shows, and to whom it shows nothing."""

import asyncio
import json
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from lectr_lab.config.limit_settings import LimitSettings
from lectr_lab.dashboards.doorman import Doorman
from lectr_lab.dashboards.followed import Followed, folder_source
from lectr_lab.dashboards.serve import DashboardServer
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.journal import JournalWriter
from lectr_lab.proxy.server.run import in_thread

LIMITS = LimitSettings(head_bytes=16 * 1024, connections=64, idle_connections=32)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "lab"


@pytest.fixture
def served(folder) -> Iterator[Any]:
    """A dashboard of a lab that is not there yet: where it is, and what opens it."""
    door = Doorman()
    app = DashboardServer(lambda: Followed(folder_source(folder)), door, "Ours")
    with in_thread(app, limits=LIMITS) as base:
        where = base + door.folder
        yield SimpleNamespace(
            url=where, opens=f"{where}?token={door.token}", door=door, base=base
        )


@pytest.fixture
def client(served) -> Iterator[httpx.Client]:
    """One that was let in."""
    with httpx.Client(base_url=served.url, timeout=30) as client:
        assert client.get(served.opens).status_code == 200
        yield client


def news(client: httpx.Client, what, seconds: float = 30) -> dict[str, Any]:
    """What the page is told, once it is what is waited for."""
    began = time.monotonic()
    while True:
        said = client.get("data?after=0")
        if said.status_code == 200 and what(said.json()):
            return said.json()
        assert time.monotonic() - began < seconds, said.text[:200]
        time.sleep(0.1)


def written(folder, event, *requests: dict[str, Any]) -> None:
    events = [event(i, fields) for i, fields in enumerate(requests)]
    JournalWriter(LabFolder.create(folder)).append(events)


def test_a_log_that_is_not_there_is_waited_for(client, folder, event):
    """It says what to do; then the first request is shown; then that it is gone."""
    assert "lectr-lab init" in news(client, lambda n: n["trouble"])["trouble"]

    written(folder, event, {"feature": "search"})
    found = news(client, lambda n: n["data"])
    assert (found["data"]["features"], found["trouble"]) == (["search"], "")

    shutil.rmtree(folder)
    gone = news(client, lambda n: n["trouble"])
    assert gone["data"]["features"] == ["search"]

    written(folder, event, {"feature": "chat"})
    assert news(client, lambda n: n["data"]["features"] == ["chat"])["trouble"] == ""


def test_what_is_known_is_not_sent_again(client, folder, event):
    """A page that asks for news of a log without any gets nothing."""
    written(folder, event, {})
    version = news(client, lambda n: n["data"])["version"]
    client.get(f"data?after={version}")
    version = client.get("data?after=-1").json()["version"]

    assert client.get(f"data?after={version}").status_code == 204


def test_the_requests_behind_a_selection_are_listed(client, folder, event):
    """In the form that the widget asks for, too."""
    written(folder, event, {}, {"feature": "search"})
    news(client, lambda n: n["data"])
    asked = {"ask": "rows", "of": 7, "selection": {"features": [["local", "search"]]}}

    answer = client.post("rows", json=asked).json()

    assert (answer["of"], answer["n"]) == (7, 1)
    assert answer["rows"]["id"] == [(1).to_bytes(16, "big").hex()]
    for bad in (b"", b"[]", b"{" * 9999, b'{"ask": "all"}', b"\xff"):
        kind = {"content-type": "application/json"}
        assert client.post("rows", content=bad, headers=kind).status_code == 400
    assert client.post("rows", content=json.dumps(asked)).status_code == 400
    assert client.post("rows", content=bytes(300_000)).status_code == 413


def test_advice_follows(client, folder, event):
    """What could be cheaper, with clients' strings escaped."""
    dear = {"feature": "<b>", "task": "classification", "model_actual": "gpt-4o"}
    written(folder, event, *[dear] * 9)

    advice = news(client, lambda n: n["advice"])["advice"]

    assert "&lt;b&gt;" in advice and "<b>:" not in advice


ASKED = [("GET", ""), ("HEAD", ""), ("GET", "data?after=0"), ("POST", "rows")]


@pytest.mark.parametrize(("method", "path"), ASKED)
def test_nobody_sees_anything_without_the_cookie(served, method, path):
    """Without a token, with a wrong one, with a used one, with a wrong cookie."""
    where = served.url + path
    sep = "&" if "?" in path else "?"
    httpx.get(served.opens)  # which uses it up
    attempts = [
        httpx.request(method, where),
        httpx.request(method, f"{where}{sep}token=wrong"),
        httpx.request(method, f"{where}{sep}token={served.door.token}"),
        httpx.request(method, where, headers={"cookie": "lectr_dashboard=wrong"}),
    ]

    for answer in attempts:
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(("method", "path"), ASKED)
@pytest.mark.parametrize(
    "told",
    [
        {"host": "evil.example"},
        {"origin": "http://evil.example"},
        {"sec-fetch-site": "cross-site", "sec-fetch-dest": "image"},
    ],
    ids=["host", "origin", "image"],
)
def test_a_foreign_page_sees_nothing_though_a_browser_sends_the_cookie(
    client, method, path, told
):
    """DNS rebinding, a foreign script, a picture's address: 403, and no CORS."""
    answer = client.request(method, path, headers=told)

    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_token_is_no_use_to_a_foreign_name(served):
    """Nor is it used up."""
    answer = httpx.get(served.opens, headers={"host": "evil.example"})

    assert answer.status_code == 403
    assert httpx.get(served.opens).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//evil.example/", "/data", "/"],
)
def test_there_is_nothing_else(client, served, path):
    """Nothing is read by a path that was sent."""
    answer = client.get(served.base + path)
    inside = client.get(served.url + path.lstrip("/") + "/x")

    assert answer.status_code in (401, 404)
    assert inside.status_code in (401, 404)


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "POST"])
def test_it_can_be_looked_at_and_not_changed(client, method):
    """And no other origin is told that it might."""
    answer = client.request(method, "")

    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_head_is_bounded(client):
    """Its fields, its line."""
    assert client.get("", headers={"x": "y" * 20_000}).status_code == 431
    assert client.get("?" + "y" * 20_000).status_code == 414


def test_it_may_not_be_framed_cached_or_guessed(client):
    """Headers that a browser heeds; the page itself names its one script."""
    page = client.get("")

    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert "connect-src 'self'" in page.text
    assert "default-src 'none'" in page.text


def test_a_thousand_idle_connections_do_not_keep_it_from_answering(
    client, served, folder, event
):
    """Who has waited longest makes room; a page is answered among them."""
    written(folder, event, {})
    host, port = served.base.removeprefix("http://").split(":")
    idle = []
    try:
        for n in range(1000):
            idle.append(socket.create_connection((host, int(port)), timeout=10))
            if n % 250 == 249:
                assert client.get("").status_code == 200
        assert news(client, lambda n: n["data"])["data"]["features"] == ["chat"]
    finally:
        for one in idle:
            one.close()


def test_many_who_ask_at_once_are_told_so():
    """So many wait, and the next are refused; no thread is begun for each."""
    busy, going_on = threading.Event(), []

    class Slow:
        def answer(self, message):
            going_on.append(1)
            busy.wait(30)
            return {"answer": "rows", "of": message.get("of")}

    app = DashboardServer(lambda: None, Doorman(), "Ours")
    app._shown = Slow()

    async def ask_all():
        asked = b'{"ask": "rows"}'
        asking = [
            asyncio.create_task(app._rows("application/json", asked)) for _ in range(40)
        ]
        done, _ = await asyncio.wait(asking, timeout=0.5)
        busy.set()
        return [one.result().status for one in done], len(going_on)

    refused, at_work = asyncio.run(ask_all())

    assert refused == [503] * 24
    assert at_work == 2


def test_a_browser_is_let_in_and_follows(served, folder, event, browser):
    """The address opens the page, another tab needs none; both show what is written,
    list what is selected, and say when the server has ended."""
    written(folder, event, {"feature": "chat"}, {"feature": "search"})
    context = browser.new_context()
    tab = context.new_page()
    complaints: list[str] = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.goto(served.opens)
    tab.locator("[data-feature=search]").first.click(timeout=30_000)
    assert tab.url.startswith(served.url + "#feature=search")
    assert "token" not in tab.url
    expect_rows(tab, [1])

    other = context.new_page()
    other.goto(served.url)
    other.locator("[data-feature=chat]").first.wait_for(timeout=30_000)

    JournalWriter(LabFolder(folder)).append([event(5, {"feature": "search"})])
    expect_rows(tab, [5, 1])
    other.get_by_text("3", exact=True).first.wait_for(timeout=30_000)

    elsewhere = browser.new_context().new_page()
    elsewhere.goto(served.opens)
    elsewhere.get_by_text("opens once").wait_for()
    assert complaints == []
    for one in (context, elsewhere.context):
        one.close()


def test_a_browser_waits_for_a_log_with_what_to_do(served, folder, event, browser):
    """In a sentence under the title; the charts take its place."""
    tab = browser.new_page()
    tab.goto(served.opens)
    tab.get_by_text("This page waits for it.").wait_for(timeout=30_000)
    assert "lectr-lab init" in tab.locator("main").inner_text()
    assert tab.locator("h1:visible").inner_text() == "Ours"
    assert tab.locator("select:visible").count() == 0

    written(folder, event, {"feature": "search"})
    tab.locator("[data-feature=search]").first.wait_for(timeout=30_000)
    assert tab.locator("h1:visible").count() == 1
    assert tab.locator("p.soft[role=status]:visible").count() == 0
    tab.close()


def expect_rows(tab: Any, numbers: list[int]) -> None:
    """The requests that are listed, by their number."""
    for number in numbers:
        own = number.to_bytes(16, "big").hex()
        tab.locator(f"[data-request='{own}']").wait_for(timeout=30_000)
    assert tab.locator("[data-request]").count() == len(numbers)

"""The pages of `lectr-lab metrics`."""

import threading
import time

import httpx
import pytest
from metrics_rows import events

from lectr_lab.core.errors import ConfigError
from lectr_lab.log.journal import JournalWriter
from lectr_lab.metrics.otlp import Pusher
from lectr_lab.metrics.serve import (
    TOKEN_VARIABLE,
    Latest,
    create_app,
    push_until,
    token_for,
)
from lectr_lab.metrics.tail import Tail
from lectr_lab.proxy.server.run import in_thread

TOKEN = "scrape-token-of-tests"


@pytest.fixture
def written(lab):
    """A lab with rows in its journal."""
    writer = JournalWriter(lab)
    writer.append(events(0, 7))
    yield lab
    writer.close()


@pytest.fixture
def pages(written):
    """The pages on a port; `pages(token=…)`."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def start(token=None, names=()):
            app = create_app(Latest(written, Tail(written)), names, token)
            return stack.enter_context(in_thread(app))

        yield start


def test_a_scrape_gets_the_rows(pages):
    """In text, or as OpenMetrics; HEAD gets no body; other paths are told what is here."""
    url = pages()
    found = httpx.get(f"{url}/metrics")
    accept = {"accept": "application/openmetrics-text; version=1.0.0"}
    openmetrics = httpx.get(f"{url}/metrics", headers=accept)

    assert "lectr_requests_total{" in found.text
    assert openmetrics.text.endswith("# EOF\n")
    assert httpx.head(f"{url}/metrics").text == ""
    assert httpx.get(f"{url}/livez").text == httpx.get(f"{url}/readyz").text == "ok\n"
    assert (httpx.get(url).status_code, httpx.post(f"{url}/metrics").status_code) == (
        404,
        405,
    )


def test_a_name_that_can_be_bought_is_not_ours(pages):
    """DNS rebinding; a name that the operator gave is."""
    url = pages(names=["metrics.example"])

    def status(host: str) -> int:
        return httpx.get(f"{url}/metrics", headers={"host": host}).status_code

    assert [status(h) for h in ("evil.test", "metrics.example:9464", "localhost")] == [
        403,
        200,
        200,
    ]
    page = {"origin": "https://evil.test"}
    assert httpx.get(f"{url}/metrics", headers=page).status_code == 403


def test_with_a_token_nothing_else_opens_it(pages):
    """Whether the process lives may be asked by all."""
    url = pages(token=TOKEN)
    sent = [None, "Bearer wrong", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}"]
    got = [
        httpx.get(f"{url}/metrics", headers={"authorization": one} if one else {})
        for one in sent
    ]

    assert [reply.status_code for reply in got] == [401, 401, 401, 401, 200]
    assert got[0].headers["www-authenticate"] == "Bearer"
    assert TOKEN not in "".join(reply.text for reply in got)
    assert httpx.get(f"{url}/livez").status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "box.example"])
def test_beyond_this_machine_it_takes_a_token(host):
    """Of a length that nobody guesses."""
    with pytest.raises(ConfigError, match=TOKEN_VARIABLE):
        token_for(host, {})
    with pytest.raises(ConfigError, match="16 characters"):
        token_for(host, {TOKEN_VARIABLE: "short"})
    assert token_for(host, {TOKEN_VARIABLE: TOKEN}) == TOKEN


def test_a_log_that_cannot_be_read_fails_the_scrape(pages, written):
    """A figure that stands still would look like quiet; without the folder's place."""
    url = pages()
    first = httpx.get(f"{url}/metrics").status_code
    written.root.rename(written.root.with_name("moved"))
    deadline = time.monotonic() + 30
    while (found := httpx.get(f"{url}/metrics")).status_code == 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    unready = httpx.get(f"{url}/readyz").status_code
    written.root.with_name("moved").rename(written.root)

    assert (first, found.status_code, unready) == (200, 503, 503)
    assert str(written.root.parent) not in found.text


def test_what_cannot_be_sent_is_said_once(written, capfd):
    """While it lasts."""
    stop = threading.Event()
    pusher = Pusher("http://127.0.0.1:1/v1/metrics", {})
    latest = Latest(written, Tail(written))
    sending = threading.Thread(target=push_until, args=(stop, latest, pusher, 0.05))
    sending.start()
    time.sleep(1)
    stop.set()
    sending.join()

    said = capfd.readouterr().err
    assert said.count("The collector cannot be reached: ConnectError.") == 1

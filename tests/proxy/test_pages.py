"""What anybody may ask."""

import time

import httpx
import pytest

from lectr_lab.config.settings import OrgSettings, Settings
from lectr_lab.launch import build

SECRET = "only-the-operator-knows-this"
WITHIN_S = 30


@pytest.mark.parametrize("page", ["livez", "readyz"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_running_proxy_lives_and_is_ready(proxy, method, page):
    """200, and not a word about anything."""
    reply = httpx.request(method, f"{proxy.url}/{page}")

    assert reply.status_code == 200
    assert reply.text == ('{"status":"ok"}' if method == "GET" else "")


@pytest.mark.anyio
async def test_what_has_not_started_or_has_ended_is_not_ready(tmp_path):
    """503 with a time to ask again; it lives all the same."""
    app = build(Settings(lab=str(tmp_path / "lab")))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://127.0.0.1"
    ) as client:
        before = await client.get("/readyz")
        async with app.lifespan():
            during = await client.get("/readyz")
        after = await client.get("/readyz")
        alive = await client.get("/livez")

    assert [r.status_code for r in (before, during, after)] == [503, 200, 503]
    assert before.json()["error"]["code"] == "not_ready"
    assert before.headers["retry-after"] == "1"
    assert alive.status_code == 200


def ready(url: str) -> httpx.Response:
    return httpx.get(f"{url}/readyz")


def until_ready_says(url: str, status: int) -> httpx.Response:
    deadline = time.monotonic() + WITHIN_S
    while (reply := ready(url)).status_code != status:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return reply


def test_a_log_that_cannot_be_written_is_not_ready_and_serves(start, provider):
    """503 in words while the writer fails; requests that come are answered all the
    same, and when the disk takes events again it is ready by itself."""
    proxy = start(provider.url)
    journal = proxy.lab / "journal"
    for file in journal.iterdir():
        file.unlink()
    journal.rmdir()
    journal.write_text("no folder")
    with proxy.client() as client:
        client.get("/v1/models")
        refused = until_ready_says(proxy.url, 503)
        served = client.get("/v1/models")
    alive = httpx.get(f"{proxy.url}/livez")
    journal.unlink()
    until_ready_says(proxy.url, 200)

    assert "the log cannot be written" in refused.json()["error"]["message"]
    assert str(proxy.lab.parent) not in refused.text
    assert (served.status_code, alive.status_code) == (200, 200)
    assert len(proxy.events(2)) == 2


def test_keys_that_cannot_be_read_are_not_ready(proxy):
    """Neither a file that is none any more; without one nothing is wrong."""
    keys = proxy.lab / "state" / "keys.json"
    missing = ready(proxy.url)
    keys.write_text("{")
    broken = until_ready_says(proxy.url, 503)
    keys.unlink()
    again = until_ready_says(proxy.url, 200)

    assert "keys.json is not a key file" in broken.json()["error"]["message"]
    assert str(proxy.lab.parent) not in broken.text
    assert (missing.status_code, again.status_code) == (200, 200)


def test_an_organisation_is_named_to_the_operator_alone(start, provider, monkeypatch):
    """Everybody else reads the same sentence without it; and no string of a client."""
    monkeypatch.setenv("LECTR_ADMIN_SECRET", SECRET)
    cap = OrgSettings(daily_spend_usd=1e-9)
    proxy = start(provider.url, orgs={"acme": cap})
    usage = b'{"model":"gpt-4o-mini","usage":{"prompt_tokens":9,"completion_tokens":9}}'
    provider.reply(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
        % (len(usage), usage)
    )
    with proxy.client(X_Lectr_Feature="MARKED", X_Lectr_Task="MARKED") as client:
        client.post("/v1/chat/completions?x=MARKED", json={"model": "MARKED"})
    deadline = time.monotonic() + WITHIN_S
    while not httpx.get(f"{proxy.url}/health").json()["warnings"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)

    def said(authorization: str | None) -> httpx.Response:
        headers = {"Authorization": authorization} if authorization else {}
        return httpx.get(f"{proxy.url}/health", headers=headers)

    named = said(f"Bearer {SECRET}")
    unnamed = [said(None), said("Bearer wrong"), said(f"Basic {SECRET}")]

    [budget] = named.json()["budgets"]
    assert (budget["for"], budget["state"]) == ("org acme", "reached")
    assert named.json()["warnings"] == ["acme has spent its daily_spend_usd of today."]
    for reply in unnamed:
        assert reply.json()["warnings"] == [
            "An organisation has spent its daily_spend_usd of today."
        ]
        assert reply.json().keys() == named.json().keys()
    for reply in (named, *unnamed):
        assert "MARKED" not in reply.text and str(proxy.lab.parent) not in reply.text
        assert "acme" not in reply.text or reply is named
    assert said(None).json()["refused_admin_calls"] == 2

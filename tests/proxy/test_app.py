"""The application around the relay."""

import subprocess
import sys

import httpx


def test_health_tells_what_became_of_the_events(provider, proxy):
    """Status, writer, queue, and counts that add up."""
    with proxy.client() as client:
        client.post("/v1/chat/completions", json={"model": "gpt-4o"})
    proxy.event()

    health = httpx.get(f"{proxy.url}/health").json()

    assert (health["status"], health["writer"]) == ("ok", "ok")
    assert health["events"] == {"received": 1, "written": 1, "dropped": 0}
    assert (health["queue_depth"], health["in_flight"]) == (0, 0)


def test_health_answers_head_as_get_without_the_body(proxy):
    """As monitors ask; 405 looks like an outage."""
    head, got = (httpx.request(m, f"{proxy.url}/health") for m in ("HEAD", "GET"))

    assert (head.status_code, head.headers) == (200, got.headers)
    assert head.content == b""


def test_health_adds_no_header_of_the_servers(proxy):
    """No date and no server: they would be ours, not a provider's."""
    headers = httpx.get(f"{proxy.url}/health").headers

    assert not {"date", "server"} & set(headers)


def test_an_sdk_beside_it_is_not_loaded():
    """Litestar would take up the pydantic that one brought: 9 MB, and a later start."""
    code = (
        "import sys, tempfile; from lectr_lab.config.settings import Settings; "
        "from lectr_lab.launch import build; build(Settings(lab=tempfile.mkdtemp())); "
        "print([name for name in sys.modules if name == 'pydantic'])"
    )
    told = subprocess.check_output([sys.executable, "-c", code], text=True)

    assert told == "[]\n"

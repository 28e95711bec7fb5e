"""A provider that nobody configured is warned of once, and not by the client's word."""

import time

import httpx

from lectr_lab.proxy.observers.invalid_provider import INVALID_PROVIDER

NAME = "bedrock-of-mine"


def test_an_invalid_provider_is_warned_of_once(provider, proxy, capfd):
    """On stderr and in /health, however many; the name is in the log alone."""
    with proxy.client() as client:
        client.post("/v1/chat/completions", json={"model": "gpt-4o"})
        before = warnings(proxy)
        for name in (NAME, NAME, "another"):
            headers = {"X-Lectr-Provider": name}
            client.post("/v1/chat/completions", json={"model": "m"}, headers=headers)
    names = [event["provider_header"] for event in proxy.events(4)]
    deadline = time.monotonic() + 30
    while not warnings(proxy) and time.monotonic() < deadline:
        time.sleep(0.02)

    health = httpx.get(f"{proxy.url}/health", trust_env=False).text
    said = capfd.readouterr().err
    assert before == []
    assert names == [None, NAME, NAME, "another"]
    assert warnings(proxy) == [INVALID_PROVIDER]
    assert said.count(INVALID_PROVIDER) == 1
    assert NAME not in said + health
    assert len(provider.received) == 4  # never refused


def warnings(proxy) -> list[str]:
    return httpx.get(f"{proxy.url}/health", trust_env=False).json()["warnings"]

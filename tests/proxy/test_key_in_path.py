"""A key in the path, for clients that send no header."""

import httpx
import pytest

from lectr_lab.proxy.key_in_path import without_key


@pytest.fixture(scope="module")
def keyed(standing_with):
    """A provider, and a proxy that takes keys in paths."""
    return standing_with(key_in_path=True)


def ask(proxy, path: str, **headers: str) -> httpx.Response:
    """A request with the provider's key alone, but for what is in the path."""
    sent = {"Authorization": "Bearer sk-provider"} | headers
    url = proxy.url + path.replace("KEY", proxy.keys()["X-Lectr-Key"])
    return httpx.post(url, json={"model": "m"}, headers=sent, trust_env=False)


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/v1/chat/completions?a=b", "/openai/v1/chat/completions?a=b"),
        ("/v1/files/a%2Fb", "/openai/v1/files/a%2Fb"),
        ("/v1/messages", "/anthropic/v1/messages"),
        ("/openai/v1/chat/completions", "/groq/openai/v1/chat/completions"),
        ("/v1beta/models/m:generateContent", "/gemini/v1beta/models/m:generateContent"),
    ],
)
def test_a_key_in_the_path_opens_as_one_in_a_header(keyed, path, asked):
    """Every API's paths; the provider is asked for the rest, and gets no key of ours."""
    provider, proxy = keyed
    headers = {"x-goog-api-key": "AIza"}

    reply = ask(proxy, f"/key/KEY{path}", **headers)

    seen = provider.received[-1]
    assert reply.status_code == 200
    assert seen.line == f"POST {asked} HTTP/1.1"
    assert b"lc_key_" not in seen.head


def test_two_keys_are_as_two_headers(keyed):
    """The same twice is fine; different ones are none."""
    _, proxy = keyed
    mine = proxy.keys()["X-Lectr-Key"]
    path = "/key/KEY/v1/chat/completions"

    assert ask(proxy, path, **{"X-Lectr-Key": mine}).status_code == 200
    for other in (
        ask(proxy, path, **{"X-Lectr-Key": "lc_key_other"}),
        ask(proxy, path.replace("KEY", "lc_key_x"), **{"X-Lectr-Key": mine}),
        ask(proxy, path.replace("KEY", "lc_key_x")),
    ):
        assert other.status_code == 401
        assert other.json()["error"]["code"] == "invalid_lectr_key"


def test_where_no_api_begins_behind_the_key(keyed):
    """404 in the form of the API that was meant, without the key."""
    provider, proxy = keyed
    asked = len(provider.received)
    replies = {
        path: ask(proxy, path)
        for path in ("/key/KEY", "/key/KEY/", "/key/KEY/messages", "/key//v1/x")
    }

    for reply in replies.values():
        assert reply.status_code == 404
        assert "lc_key_for" not in reply.text
    assert "ANTHROPIC_BASE_URL" in replies["/key/KEY/messages"].text
    assert len(provider.received) == asked


def test_unless_it_is_allowed_it_is_an_unknown_path(provider, proxy):
    """As any other, and no provider is asked."""
    reply = ask(proxy, "/key/KEY/v1/chat/completions")

    assert reply.status_code == 404
    assert reply.json()["error"]["code"] == "unknown_path"
    assert provider.received == []


@pytest.mark.parametrize(
    ("path", "key", "rest"),
    [
        (b"//key//lc_key_x//v1/x", b"lc_key_x", b"//v1/x"),
        (b"/key/lc%5fkey_x/v1/x", b"lc_key_x", b"/v1/x"),
        (b"/key/a/key/b/v1", b"a", b"/key/b/v1"),
        (b"/key/a?/v1", None, b"/key/a?/v1"),
        (b"/keys/a/v1", None, b"/keys/a/v1"),
        (b"/v1/key/a/v1", None, b"/v1/key/a/v1"),
    ],
)
def test_a_key_is_what_follows_key(path, key, rest):
    """At the path's beginning, once."""
    assert without_key(path) == (key, rest)

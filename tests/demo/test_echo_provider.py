"""The provider that shows what reaches it."""

import httpx
import pytest

import lectr_lab as lectr


@pytest.fixture
def provider():
    """One that listens."""
    listening = lectr.echo_provider()
    yield listening
    listening.close()


def test_it_keeps_what_was_sent_and_answers(provider):
    """To the byte, with the headers in their order."""
    with httpx.Client(trust_env=False) as client:
        for body in (b'{"a":  1}', b""):
            headers = {"X-One": "1", "X-Two": "2"}
            reply = client.post(f"{provider.base_url}/x", content=body, headers=headers)

            assert reply.content == provider.reply
            last = provider.arrived[-1]
            assert (last.path, last.body) == ("/v1/x", body)
            mine = [one for one in last.headers if one[0].lower().startswith("x-")]
            assert [value for _, value in mine] == ["1", "2"]


def test_a_proxy_in_front_of_it_takes_out_what_is_ours(provider, tmp_path, monkeypatch):
    """The key of the proxy reaches no provider; the provider's own does."""
    monkeypatch.chdir(tmp_path)
    with lectr.start("seen", upstream=provider.base_url) as proxy:
        body = {"model": "gpt-4o-mini", "messages": []}
        headers = proxy.headers(feature="quiz") | {"Authorization": "Bearer sk-test"}
        url = f"{proxy.base_url}/chat/completions"
        reply = httpx.post(url, json=body, headers=headers, trust_env=False)

    [one] = provider.arrived
    names = {name.lower() for name, _ in one.headers}
    assert reply.content == provider.reply
    assert "authorization" in names
    assert not [name for name in names if name.startswith("x-lectr-")]

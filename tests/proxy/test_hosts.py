"""By which names what wants no key is reached."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.config.settings import ProviderSettings, Settings
from lectr_lab.launch import Session, build
from lectr_lab.proxy.hosts import Hosts
from lectr_lab.proxy.server.run import in_thread

OWN = [
    "127.0.0.1",
    "127.0.0.1:8484",
    "localhost",
    "LocalHost:1",
    "localhost.",
    "[::1]",
    "[::1]:8484",
    "10.0.3.7:8484",  # a pod's: a probe comes by it
    "[fd00::7]:1",
    "proxy.example",
    "Proxy.Example:443",
    "here.example",
]
OTHERS = [
    "",
    "evil.test",
    "evil.test:8484",
    "proxy.example.evil.test",
    "xproxy.example",
    "127.0.0.1.evil.test",
    "evil.test@127.0.0.1",
    "127.0.0.1@evil.test",
    "localhost:8484.evil.test",
    "localhost, evil.test",
    "localhost/../evil",
    "[::1].evil.test",
    "[localhost]",
    "127.1.evil",
    "\xff",
]
HOSTS = Hosts(["here.example", "proxy.example"])


def refused(host: str, origin: str | None = None) -> str | None:
    """The code, where it is."""
    headers = [(b"host", host.encode("latin-1"))]
    headers += [(b"origin", origin.encode())] if origin is not None else []
    refusal = HOSTS.refusal(headers)
    return refusal and refusal.code


@pytest.mark.parametrize("host", OWN)
def test_own_names_and_addresses_are_served(host):
    """Of any port, in any case."""
    assert refused(host) is None


@pytest.mark.parametrize("host", OTHERS)
def test_other_names_are_refused(host):
    """However like ours they look."""
    assert refused(host) == "forbidden_host"


@given(st.from_regex(r"[a-z0-9-]{1,20}\.[a-z]{2,8}(:[0-9]{1,5})?", fullmatch=True))
def test_no_name_that_can_be_bought_is_ours(host):
    """Whatever a stranger's name is, his page gets nothing."""
    named = host.partition(":")[0] in ("here.example", "proxy.example")

    assert refused(host) == (None if named else "forbidden_host")


@pytest.mark.parametrize(
    "origin",
    [
        "http://127.0.0.1:8888",
        "http://localhost:3000",
        "https://proxy.example",
        "http://[::1]",
        "http://10.0.3.7:8484",
    ],
)
def test_an_own_page_may_ask(origin):
    """Of these names, or of the very place that it asks."""
    assert refused("10.0.3.7:8484", origin) is None


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "https://evil.test",
        "http://10.0.3.7:80",
        "http://10.0.3.8:8484",
        "file://localhost",
        "http://localhost.evil.test",
        "chrome-extension://localhost",
        "http://localhost:1 http://evil.test",
    ],
)
def test_a_strangers_page_may_not(origin):
    """Nor one of another address, which may be another machine's."""
    assert refused("10.0.3.7:8484", origin) == "forbidden_origin"


PAGES = ["/health", "/livez", "/readyz", "/v1/orgs", "/v1/orgs/a/rotate-key"]


@pytest.fixture
def known(tmp_path, provider):
    """A proxy with a name of its own and an admin secret, before a provider."""
    openai = ProviderSettings(base_url=f"{provider.url}/v1")
    return Settings(
        lab=str(tmp_path / "lab"),
        allowed_hosts=("proxy.example",),
        providers={"openai": openai},
    )


def test_every_route_of_ours_asks_for_it(known, monkeypatch):
    """Also those that are still to be written: they are read from the application. With
    the right secret, too; HEAD as well."""
    secret = "only-the-operator-knows-this"
    monkeypatch.setenv("LECTR_ADMIN_SECRET", secret)
    app = build(known)
    routes = {
        (method, route.path.replace("{below:path}", "a/rotate-key"))
        for route in app.routes
        for method in route.methods - {"OPTIONS"}
    }
    assert {path.rstrip("/") for _, path in routes} == set(PAGES)
    with in_thread(app) as url, httpx.Client(base_url=url) as client:
        for method, path in routes:
            for wrong in ({"Host": "evil.test"}, {"Origin": "https://evil.test"}):
                headers = {"Authorization": f"Bearer {secret}"} | wrong
                reply = client.request(method, path, headers=headers)

                assert reply.status_code == 403, (method, path, wrong)
                assert method == "HEAD" or "allowed_hosts" in reply.text
                assert "evil" not in reply.text and "daily" not in reply.text
            right = client.request(method, path, headers={"Host": "proxy.example"})
            assert right.status_code in (200, 401)


@pytest.mark.parametrize("host", ["evil.test", "proxy:8484", "hub.example", "x_y"])
def test_a_valid_key_is_served_whatever_its_host_says(known, provider, host):
    """Through a container's name, a forwarded port, jupyter-server-proxy, from a page."""
    session = Session()
    headers = {
        "X-Lectr-Key": session.key,
        "Authorization": "Bearer x",
        "Host": host,
        "Origin": "https://evil.test",
    }
    with in_thread(build(known, session)) as url:
        asked = {"model": "gpt-4o", "messages": []}
        reply = httpx.post(f"{url}/v1/chat/completions", json=asked, headers=headers)
        wrong = httpx.get(f"{url}/v1/models", headers=headers | {"X-Lectr-Key": "no"})

    assert reply.status_code == 200
    assert len(provider.received) == 1
    assert wrong.json()["error"]["code"] == "invalid_lectr_key"


def test_an_unknown_path_is_one_by_any_name(known):
    """A base_url that lacks its /v1 is told so, whoever it asks: there is nothing here."""
    with in_thread(build(known)) as url:
        headers = {"Host": "proxy:8484"}
        reply = httpx.post(f"{url}/chat/completions", headers=headers)

    assert reply.json()["error"]["code"] == "unknown_path"

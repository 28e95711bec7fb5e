"""Keys over HTTP: who may, what is answered, and that nothing of it goes anywhere."""

import httpx
import msgspec
import pytest

from lectr_lab.core import error_responses
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.key_file import KeyFile, create_key, list_keys
from lectr_lab.proxy.admin import Admin
from lectr_lab.proxy.admin_secret import SECRET_VARIABLE, AdminSecret

SECRET = "only-the-operator-knows-this"


@pytest.fixture
def lab(tmp_path) -> LabFolder:
    return LabFolder.create(tmp_path / "lab")


@pytest.fixture
def admin(provider, start, monkeypatch, lab) -> httpx.Client:
    """A client with the secret, of a proxy that has it."""
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)
    proxy = start(provider.url)
    headers = {"Authorization": f"Bearer {SECRET}"}
    with httpx.Client(base_url=proxy.url, headers=headers, trust_env=False) as client:
        yield client


def test_a_new_org_gets_a_key_that_works(admin, lab):
    """201 with org, key_id and key; the key's default feature with it."""
    made = admin.post("/v1/orgs", json={"org": "team-a", "feature": "chat"})

    assert made.status_code == 201
    assert made.json().keys() == {"org", "key_id", "key"}
    entry = KeyFile(lab).table(0).find(made.json()["key"])
    assert entry is not None
    assert (entry.org, entry.feature) == ("team-a", "chat")
    assert entry.key_id == made.json()["key_id"]


def test_a_new_key_is_known_at_once(admin):
    """A script makes one and uses it with its next request; so do other processes."""
    for org in ("a", "b", "c"):
        key = admin.post("/v1/orgs", json={"org": org}).json()["key"]

        assert admin.get("/v1/models", headers={"X-Lectr-Key": key}).status_code == 200


def test_a_rotated_key_stops_and_the_new_one_works(admin, lab):
    """Named by its organisation, or by its id."""
    first = admin.post("/v1/orgs", json={"org": "team-a"}).json()

    second = admin.post("/v1/orgs/team-a/rotate-key").json()
    third = admin.post(f"/v1/orgs/{second['key_id']}/rotate-key")

    assert third.status_code == 201
    table = KeyFile(lab).table(0)
    found = [table.find(k["key"]) for k in (first, second, third.json())]
    assert [entry.disabled_at is None for entry in found] == [False, False, True]
    assert {entry.org for entry in found} == {"team-a"}


WRONG = ["", "Bearer", f"Basic {SECRET}", f"Bearer {SECRET}x", "Bearer \xff"]


def test_another_secret_is_a_401(admin, lab):
    """It makes nothing, and counts as an unknown caller."""
    for number, authorization in enumerate(WRONG, start=1):
        path = ("/v1/orgs", "/v1/orgs/a/rotate-key", "/v1/orgs/x")[number % 3]
        headers = {"Authorization": authorization.encode("latin-1")}

        reply = admin.post(path, json={"org": "a"}, headers=headers)

        assert reply.status_code == 401
        assert reply.json()["error"]["code"] == "invalid_admin_secret"
        said = admin.get("/health").json()
        assert said["unknown_callers"] == said["refused_admin_calls"] == number
    assert not list_keys(lab)


NO_REQUESTS = [
    b"",
    b"{",
    b"[]",
    b"{}",
    b'{"org": 1}',
    b'{"org": ""}',
    b'{"org": "a/b"}',
    b'{"org": "a\\n"}',
    b'{"org": "MARKED name"}',
    b'{"org": "a", "feature": 1}',
    b'{"org": "a", "feature": "' + b"x" * 101 + b'"}',
    b'{"org": "a", "MARKED": 1}',
    b'{"org": "\xff"}',
    b"[" * 50_000,
    b'{"org": "a"}' + b" " * 70_000,
]


def test_what_is_no_request_is_a_400_that_echoes_nothing(admin, lab):
    """Bad JSON, a bad name, too much of it."""
    for body in NO_REQUESTS:
        reply = admin.post("/v1/orgs", content=body)

        assert reply.content == error_responses.INVALID_ORG.body()
        assert reply.status_code == 400
    assert not list_keys(lab)


def test_an_unknown_org_is_a_404(admin):
    """Also one whose keys are all disabled, and a path that is none of ours."""
    for path in ("/v1/orgs/nobody/rotate-key", "/v1/orgs/nobody%20/rotate-key"):
        assert admin.post(path).status_code == 404
    assert admin.post("/v1/orgs/nobody/rotate-key").json()["error"]["code"] == (
        "unknown_org"
    )
    for method in ("GET", "PUT", "DELETE"):
        reply = admin.request(method, "/v1/orgs")
        assert reply.json()["error"]["code"] == "unknown_path"


def test_an_org_with_several_keys_wants_one_named(admin, lab):
    """400, and no key stops."""
    for _ in range(2):
        create_key(lab, "team-a")

    reply = admin.post("/v1/orgs/team-a/rotate-key")

    assert reply.json()["error"]["code"] == "several_keys"
    assert all(entry.disabled_at is None for entry in list_keys(lab))


def test_a_key_file_that_cannot_be_read_is_a_500(admin, lab):
    """The proxy goes on, and says where to look."""
    (lab.state / "keys.json").write_text("no key file")

    reply = admin.post("/v1/orgs", json={"org": "a"})

    assert reply.content == error_responses.KEYS_UNWRITABLE.body()


SPELLINGS = [
    "/v1/orgs",
    "/v1/orgs/",
    "/v1/orgs/a/rotate-key",
    "/v1//orgs",
    "/v1/./orgs",
    "/v1/x/../orgs",
    "/v1/%6frgs",
    "/v1/%256frgs",
    "/v1/x/%2e%2e/orgs",
    "/v1%2forgs",
    "/v1/Orgs",
    "/v1/orgs;x",
    "/v1/orgs?x=1",
    "/openai/v1/orgs",
    "//v1/orgs",
]


@pytest.mark.parametrize("secret", [None, SECRET])
def test_nothing_sent_there_reaches_a_provider(
    provider, start, monkeypatch, raw_post, secret
):
    """However it is spelt, with a valid key beside it, whether the secret is set or not;
    unset, everything is the 404 of an unknown path."""
    monkeypatch.delenv(SECRET_VARIABLE, raising=False)
    if secret:
        monkeypatch.setenv(SECRET_VARIABLE, secret)
    proxy = start(provider.url)

    for path in SPELLINGS:
        sent = b'{"model": "gpt-4o"}'
        head, body = raw_post(proxy, path, f"Bearer {SECRET}", sent)

        assert head.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400"))
        assert secret or body == error_responses.NOT_FOUND.body()
    assert provider.received == []


@pytest.fixture
def raw_post():
    """POST a path exactly as written."""
    import socket

    def post(proxy, path: str, authorization: str, body: bytes) -> tuple[bytes, bytes]:
        lines = [
            f"POST {path} HTTP/1.1",
            "Host: localhost",
            "Connection: close",
            f"Authorization: {authorization}",
            f"X-Lectr-Key: {proxy.keys()['X-Lectr-Key']}",
            f"Content-Length: {len(body)}",
        ]
        host, port = proxy.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=5) as sock:
            sock.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
            reply = b"".join(iter(lambda: sock.recv(65536), b""))
        head, _, answer = reply.partition(b"\r\n\r\n")
        return head, answer

    return post


def test_the_secret_is_nowhere(admin, lab, capfd):
    """Neither on the disk, nor printed, nor in /health, nor in a repr."""
    made = admin.post("/v1/orgs", json={"org": "team-a"}).json()
    admin.post("/v1/orgs", content=b"{")

    shown = "".join(capfd.readouterr()) + admin.get("/health").text
    stored = b"".join(p.read_bytes() for p in lab.root.rglob("*") if p.is_file())
    held = repr(vars(AdminSecret(SECRET))).encode()
    for secret in (SECRET, made["key"]):
        assert secret.encode() not in stored + shown.encode() + held


def test_a_made_key_is_not_in_the_type_that_is_kept(lab):
    """What `create` returns is the reply itself, and no more."""
    reply = Admin(lab, AdminSecret(SECRET)).create(b'{"org": "a"}')

    assert isinstance(reply, bytes)
    assert msgspec.json.decode(reply)["org"] == "a"

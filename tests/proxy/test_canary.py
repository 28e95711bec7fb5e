"""Counts and names, never content: marked secrets leave no trace, whatever happens."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec
import polars as pl
import pytest

from lectr_lab.config.settings import AzureSettings, ProviderSettings, Settings
from lectr_lab.config.shadow_settings import ShadowSettings
from lectr_lab.core.event import Event
from lectr_lab.launch import Order, Session
from lectr_lab.log.folder import LabFolder
from lectr_lab.proxy.observers.outbox import Outbox

MARK = "cAnArY7f3a"
PROVIDER_KEY = f"sk-{MARK}-provider"
LECTR_KEY = f"lc_key_{MARK}-lectr"
SECRET = f"{MARK}-secret"
START = (
    "import logging; logging.basicConfig(level={level!r}); {planted}\n"
    "from lectr_lab.launch import _obey; _obey()"
)


def found(*folders: Path) -> list[str]:
    """Files that hold the mark, Parquet ones decompressed."""
    files = [f for folder in folders for f in folder.rglob("*") if f.is_file()]
    return [str(f) for f in files if MARK in f.name or MARK.encode() in plain(f)]


def plain(file: Path) -> bytes:
    if file.suffix != ".parquet":
        return file.read_bytes()
    rows = pl.read_parquet(file).to_dicts()
    return file.read_bytes() + repr(rows).encode()


def settings_for(url: str, lab: Path, **changes) -> Settings:
    names = ("openai", "anthropic", "groq", "gemini")
    return Settings(
        lab=str(lab),
        port=0,
        providers={n: ProviderSettings(base_url=f"{url}/{n}/v1") for n in names},
        azure=AzureSettings(endpoint=f"{url}/azure", api_version="v9"),
        max_body_bytes=10_000,
        **{"response_timeout_s": 0.5} | changes,
    )


@contextlib.contextmanager
def proxy_at(
    level: str,
    settings: Settings,
    folder: Path,
    planted: str = "",
    record: str | None = None,
    **environment: str,
):
    """A child process that logs everything from a level up; yields its base URL."""
    (folder / "tmp").mkdir()
    session = Session(LECTR_KEY, "acme")
    order = Order(settings=settings, session=session, record=record)
    environ = os.environ | {"TMPDIR": str(folder / "tmp")} | environment
    if level == "DEBUG":
        environ["PYTHONASYNCIODEBUG"] = "1"
    with (folder / "stderr").open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-c", START.format(level=level, planted=planted)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=environ,
        )
        process.stdin.write(msgspec.json.encode(order) + b"\n")
        process.stdin.flush()
        yield json.loads(process.stdout.readline())["base_url"]
        process.stdin.close()
        (folder / "stdout").write_bytes(process.stdout.read())
        process.stdout.close()
        assert process.wait(40) in (0, -signal.SIGTERM)


REPLY = {
    "id": f"i-{PROVIDER_KEY}",
    "model": f"m-{PROVIDER_KEY}",
    "service_tier": PROVIDER_KEY,
    "choices": [
        {"index": 0, "finish_reason": PROVIDER_KEY, "message": {"content": SECRET}}
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, SECRET: SECRET},
    SECRET: SECRET,
}
ERROR = {"error": {"message": SECRET, "type": PROVIDER_KEY, "code": PROVIDER_KEY}}
HEADERS = (
    b"x-request-id: %s\r\nset-cookie: %s@(=1\r\nx-a: %s\r\nlocation: http://%s/\r\n"
    % (PROVIDER_KEY.encode(), *[SECRET.encode()] * 3)
)


def raw(status: int, value, kind: bytes = b"application/json") -> bytes:
    """A reply whose headers and body are marked."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return b"HTTP/1.1 %d %s\r\ncontent-type: %s\r\n%scontent-length: %d\r\n\r\n%s" % (
        status,
        SECRET.encode(),
        kind,
        HEADERS,
        len(body),
        body,
    )


SSE = b"data: %s\n\nevent: error\ndata: %s\n\n" % (
    json.dumps(REPLY).encode(),
    json.dumps(ERROR).encode(),
)
REPLIES = [
    raw(200, REPLY),
    raw(200, SSE, b"text/event-stream"),
    raw(401, ERROR),
    raw(302, ERROR),
    raw(502, f"<html>{SECRET}</html>".encode(), b"text/html"),
    raw(200, REPLY)[:-20],
    raw(200, REPLY).replace(b"x-a: ", b"x-a: \x01"),
    raw(999, REPLY),
    SECRET.encode() + b"\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"
    + SECRET.encode(),
    b"HTTP/1.1 200 OK\r\n%s: 1\r\ncontent-length: %s\r\n\r\n"
    % (SECRET.encode(), SECRET.encode()),
]


def requests(client: httpx.Client) -> None:
    """Marked requests of every kind; how they are answered does not matter here."""
    marked = {
        "model": PROVIDER_KEY,
        "service_tier": PROVIDER_KEY,
        "reasoning_effort": PROVIDER_KEY,
        "messages": [{"role": "user", "content": SECRET}],
        "user": SECRET,
        "metadata": {SECRET: SECRET},
    }
    tags = {
        "X-Lectr-Feature": f"f {PROVIDER_KEY}",
        "X-Lectr-Task": f"t {LECTR_KEY}",
        "User-Agent": SECRET,
        "Cookie": f"a={SECRET}",
        "x-api-key": f"{SECRET}-other",
        f"x-{SECRET}": SECRET,
    }
    named = tags | {"X-Lectr-Provider": PROVIDER_KEY}
    other = tags | {"X-Lectr-Feature": f"{SECRET}-other"}
    stranger = tags | {"X-Lectr-Key": f"lc_key_{SECRET}", "X-Lectr-Feature": SECRET}
    for headers in (tags, named, other, stranger):
        send(client, "POST", "/v1/chat/completions", headers, json=marked)
    for provider in ("azure", "anthropic"):
        chosen = tags | {"X-Lectr-Provider": provider}
        send(client, "POST", f"/v1/messages?key={SECRET}", chosen, json=marked)
    send(client, "GET", f"/v1/files/{SECRET}/content?{SECRET}={SECRET}", tags)
    send(client, "POST", "/v1/chat/completions", tags, content=SECRET.encode())
    send(client, "POST", "/v1/chat/completions", tags, content=SECRET.encode() * 999)
    send(client, "POST", f"/{SECRET}", tags, json=marked)
    send(client, "POST", f"/v1/orgs/{SECRET}", tags, json=marked)
    send(client, "GET", "/v1/x", tags | {"Upgrade": "websocket"})


def send(client: httpx.Client, method: str, path: str, headers, **body) -> None:
    with contextlib.suppress(httpx.HTTPError):
        client.request(method, path, headers=headers, **body)


def broken_requests(base_url: str) -> None:
    """Ones that end too soon, or are no HTTP."""
    port = int(base_url.rsplit(":", 1)[1])
    keys = f"x-lectr-key: {LECTR_KEY}\r\nauthorization: Bearer {PROVIDER_KEY}\r\n"
    line = f"POST /v1/chat/completions?{SECRET} HTTP/1.1\r\nhost: {SECRET}\r\n{keys}"
    body = json.dumps({"model": "gpt-4o", "x": SECRET})
    for request in (
        f"{line}content-length: 500\r\n\r\n{body}",
        f"{line}content-length: {len(body)}\r\n\r\n{body}",  # and leaves
        f"{line}x: \x01{SECRET}\r\n\r\n",
        f"{line}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n{SECRET}",
        f"{SECRET}\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
            sock.sendall(request.encode())
            time.sleep(0.02)


@pytest.mark.parametrize(
    ("level", "engine"),
    [
        ("DEBUG", "native"),
        ("DEBUG", "httpx"),
        ("INFO", "native"),
        ("ERROR", "native"),
    ],
)
def test_no_secret_is_written_anywhere(provider, tmp_path, level, engine):
    """Files, streams and /health hold none, after every fault, at every level."""
    lab = tmp_path / "lab"
    settings = settings_for(provider.url, lab, engine=engine)
    keys = {"X-Lectr-Key": LECTR_KEY, "Authorization": f"Bearer {PROVIDER_KEY}"}
    with (
        proxy_at(level, settings, tmp_path) as base_url,
        httpx.Client(base_url=base_url, headers=keys, timeout=30) as client,
    ):
        for reply in REPLIES:
            provider.reply(reply)
            requests(client)
        provider.answer = lambda sock, _: time.sleep(0.7)  # a timeout
        send(client, "POST", "/v1/chat/completions", {}, json={"model": "gpt-4o"})
        broken_requests(base_url)
        time.sleep(0.3)
        health = client.get("/health").text
        in_journal = found(lab)

    log = pl.read_parquet(lab / "log/**/*.parquet")
    mine = log.filter(pl.col("feature") == "[redacted]")
    assert log.height > 100
    assert set(log["outcome"]) >= {
        "ok",
        "provider_error",
        "refused",
        "client_disconnect",
        "upstream_disconnect",
        "timeout",
        "error_in_stream",
    }
    assert set(mine["model_requested"].drop_nulls()) == {"[redacted]"}
    assert mine["task"].unique().to_list() == ["[redacted]"]
    assert MARK not in health
    assert in_journal == []
    assert found(tmp_path) == []


@pytest.mark.parametrize("allowed", [True, False])
def test_a_key_in_a_path_is_written_nowhere(provider, tmp_path, allowed):
    """Nor said in any reply, allowed or not, whatever else is wrong with the request."""
    lab, cassette = tmp_path / "lab", str(tmp_path / "cassette.yaml")
    settings = settings_for(provider.url, lab, key_in_path=allowed)
    door = f"/key/{LECTR_KEY}"
    replies = []

    def post(path: str, **headers: str) -> None:
        sent = {"Authorization": "Bearer sk-x"} | headers
        reply = client.post(path, json={"model": "gpt-4o"}, headers=sent)
        replies.append(f"{reply.headers} {reply.text}")

    with (
        proxy_at("DEBUG", settings, tmp_path, record=cassette) as base_url,
        httpx.Client(base_url=base_url, timeout=30) as client,
    ):
        provider.reply(raw(200, {"model": "gpt-4o"}).replace(HEADERS, b""))
        for path in ("/v1/chat/completions", "/v1/messages", "/v1beta/models/m:x"):
            post(door + path)
            post(door + path, **{"X-Lectr-Key": "lc_key_other"})
            post(f"/key/lc_key_{SECRET}{path}")
            post(f"{door}{door}{path}")
            post(f"{door}/v1{path}")
            post(door + path, Upgrade="websocket", Connection="upgrade")
            post(door + path, x="y" * 70_000)
            post(f"{door}{path}?{'x' * 9000}")
        for path in ("", "/", "/health", "/v1/orgs", "/v1/../..", "/%2e%2e/v1/x"):
            post(door + path)
        provider.reply(b"no HTTP")
        post(f"{door}/v1/chat/completions")
        health = client.get("/health").text
        in_journal = found(lab)

    log = pl.read_parquet(lab / "log/**/*.parquet") if allowed else pl.DataFrame()
    assert (log.height > 5) == allowed
    assert Path(cassette).exists() == allowed
    assert MARK not in health + "".join(replies)
    assert in_journal == []
    assert found(tmp_path) == []


RULE = """
[[rules]]
name = "to-groq"
priority = 1
then = { provider = "groq", model = "llama-3.1-8b-instant" }
"""


def test_an_operators_key_is_written_nowhere(provider, tmp_path):
    """It goes to its vendor, and an echo of it is redacted like a client's."""
    lab, rules = tmp_path / "lab", tmp_path / "rules.toml"
    rules.write_text(RULE)
    settings = settings_for(provider.url, lab, rules=str(rules))
    groq = ProviderSettings(base_url=f"{provider.url}/groq", operator_key_env="GROQ")
    settings = msgspec.structs.replace(settings, providers={"groq": groq})
    keys = {"X-Lectr-Key": LECTR_KEY, "Authorization": f"Bearer {PROVIDER_KEY}"}
    operators = PROVIDER_KEY.replace("provider", "operator")
    with (
        proxy_at("DEBUG", settings, tmp_path, GROQ=operators) as base_url,
        httpx.Client(base_url=base_url, headers=keys, timeout=30) as client,
    ):
        for reply in REPLIES:
            echo = reply.replace(PROVIDER_KEY.encode(), operators.encode())
            provider.reply(echo)
            marked = {"model": "gpt-4o", "messages": [{"content": SECRET}]}
            send(client, "POST", "/v1/chat/completions", {}, json=marked)
        health = client.get("/health").text

    log = pl.read_parquet(lab / "log/**/*.parquet")
    asked = provider.received
    assert set(log["rule"]) == {"to-groq"}
    assert len(asked) == len(REPLIES)
    assert all(operators in dict(r.headers)["authorization"] for r in asked)
    assert not [r for r in asked if PROVIDER_KEY.encode() in r.head + r.body]
    assert "[redacted]" in log["model_actual"].to_list()
    assert MARK not in health
    assert found(tmp_path) == []


def shadows_ended(client: httpx.Client) -> int:
    """How many were sent, less those that still run."""
    said = client.get("/health").json()["shadows"]
    return said["sent"] - said["running"]


def test_a_shadow_leaves_a_number_and_no_content(provider, tmp_path):
    """Both answers are compared in memory, whatever they and their failures hold."""
    lab = tmp_path / "lab"
    shadow = ShadowSettings(model="llama-3.1-8b-instant", provider="groq", share=1.0)
    # None of these answers is late, whatever else the machine is doing.
    settings = settings_for(provider.url, lab, shadow=shadow, response_timeout_s=30.0)
    groq = ProviderSettings(base_url=f"{provider.url}/groq", operator_key_env="GROQ")
    providers = {**settings.providers, "groq": groq}
    settings = msgspec.structs.replace(settings, providers=providers)
    keys = {"X-Lectr-Key": LECTR_KEY, "Authorization": f"Bearer {PROVIDER_KEY}"}
    operators = PROVIDER_KEY.replace("provider", "operator")
    good = raw(200, REPLY)
    with (
        proxy_at("DEBUG", settings, tmp_path, GROQ=operators) as base_url,
        httpx.Client(base_url=base_url, headers=keys, timeout=30) as client,
    ):
        for n, reply in enumerate(REPLIES, start=1):
            echo = reply.replace(PROVIDER_KEY.encode(), operators.encode())

            def answer(sock, asked, echo=echo):
                to_groq = asked.line.startswith("POST /groq")
                sock.sendall(echo if to_groq else good)
                sock.close()

            provider.answer = answer
            marked = {"model": "gpt-4o", "messages": [{"content": SECRET}]}
            send(client, "POST", "/v1/chat/completions", {}, json=marked)
            until_s = time.monotonic() + 30
            while shadows_ended(client) < n and time.monotonic() < until_s:
                time.sleep(0.02)
        health = client.get("/health").text

    log = pl.read_parquet(lab / "log/**/*.parquet")
    shadows = log.filter(pl.col("kind") == "shadow")
    assert shadows.height == len(REPLIES)
    assert 1.0 in shadows["agreement"].to_list()
    asked = [r for r in provider.received if r.line.startswith("POST /groq")]
    assert all(operators in dict(r.headers)["authorization"] for r in asked)
    assert not [r for r in asked if PROVIDER_KEY.encode() in r.head + r.body]
    assert MARK not in health
    assert found(tmp_path) == []


def test_a_count_leaves_numbers_and_no_content(provider, tmp_path):
    """Prompts and answers go to a process that counts them, broken ones too."""
    lab = tmp_path / "lab"
    keys = {"X-Lectr-Key": LECTR_KEY, "Authorization": f"Bearer {PROVIDER_KEY}"}
    chunk = {"choices": [{"index": 0, "delta": {"content": f"{SECRET} \ud83d"}}]}
    whole = b"data: %s\n\n" % json.dumps(chunk).encode()
    bodies = [
        {"messages": [{"role": "user", "content": f"{SECRET} \ud83d"}]},
        {"messages": [{SECRET: SECRET}]},
        {"messages": SECRET},
    ]
    settings = settings_for(provider.url, lab)
    with (
        proxy_at("DEBUG", settings, tmp_path) as base_url,
        httpx.Client(base_url=base_url, headers=keys, timeout=30) as client,
    ):
        for stream in (whole, whole * 3, whole + b"data: " + SECRET.encode()):
            head = b"HTTP/1.1 200 X\r\ncontent-type: text/event-stream\r\n"
            provider.reply(head + b"connection: close\r\n\r\n" + stream)
            for body in bodies:
                marked = json.dumps({"model": "gpt-4o", "stream": True} | body)
                path = "/v1/chat/completions"
                assert client.post(path, content=marked).status_code == 200
        health = client.get("/health").text

    log = pl.read_parquet(lab / "log/**/*.parquet")
    assert sorted(log["token_source"]) == ["absent"] * 6 + ["tokenizer"] * 3
    assert MARK not in health
    assert found(tmp_path) == []


@pytest.mark.parametrize("sealed", [False, True])
def test_a_planted_leak_is_found(tmp_path, sealed):
    """In the journal as in Parquet: the search above can fail."""
    lab = LabFolder.create(tmp_path / "lab")
    outbox = Outbox(lab, capacity=10)
    outbox.start()
    outbox.ended(
        Event(
            event_id=bytes(16),
            started_at=datetime(2026, 11, 24, tzinfo=UTC),
            org="acme",
            feature=SECRET,
            path="/v1/chat/completions",
            operation="chat",
            outcome="ok",
            total_ms=1.0,
        )
    )
    try:
        while outbox.counts().written < 1:
            time.sleep(0.02)
        in_journal = found(tmp_path)
    finally:
        outbox.stop()

    leaks = found(tmp_path) if sealed else in_journal
    assert [Path(leak).suffix for leak in leaks] == [
        ".parquet" if sealed else ".journal"
    ]


LEAKS = {
    "stdout": "from lectr_lab.proxy.observers.outbox import Outbox; stop = Outbox.stop; "
    f"Outbox.stop = lambda self: (stop(self), print('{SECRET}', flush=True))",
    "stderr": f"logging.getLogger('uvicorn.access').error('{SECRET}')",
    "a traceback": "import threading; "
    f"threading.Thread(target={{}}.__getitem__, args=('{SECRET}',)).start()",
    "a temporary file": f"import tempfile; tempfile.mkstemp(prefix='{SECRET}')",
    "a cassette": f"open('LAB/../cassette.yaml', 'w').write('{LECTR_KEY}')",
    "the lab": f"open('LAB/health', 'w').write('{PROVIDER_KEY}')",
}


@pytest.mark.parametrize("where", LEAKS)
def test_a_leak_planted_in_a_proxy_is_found_wherever_it_is(tmp_path, provider, where):
    """One at a time, in the process that all of the above look at."""
    lab = LabFolder.create(tmp_path / "lab").root
    planted = LEAKS[where].replace("LAB", str(lab))

    with proxy_at("INFO", settings_for(provider.url, lab), tmp_path, planted):
        pass

    [leak] = [Path(leak).relative_to(tmp_path).parts[0] for leak in found(tmp_path)]
    files = {"a traceback": "stderr", "a temporary file": "tmp", "the lab": "lab"}
    files["a cassette"] = "cassette.yaml"
    assert leak == files.get(where, where)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_takes_no_key_anywhere(standing, provider, status):
    """It is the client's to follow; the proxy asks nobody else."""
    first, proxy = standing
    first.reply(
        b"HTTP/1.1 %d X\r\nlocation: %s/v1/x\r\ncontent-length: 0\r\n\r\n"
        % (status, provider.url.encode())
    )

    with proxy.client() as client:
        reply = client.post("/v1/chat/completions", json={"model": "gpt-4o"})

    assert reply.status_code == status
    assert provider.received == []


@pytest.mark.parametrize(
    ("model", "name", "vendor"),
    [
        ("gpt-4o", "", "openai"),
        ("claude-x", "", "anthropic"),
        ("llama3-8b-8192", "", "groq"),
        ("gemini-2.0-flash", "", "gemini"),
        ("claude-x", "openai", "openai"),
        ("gpt-4o", "https://evil.test", "openai"),
        ("https://evil.test/", "", "openai"),
        ("../../evil", "azure", "azure"),
        ("//evil.test/x", "azure", "azure"),
        ("@evil.test:80", "azure", "azure"),
    ],
)
def test_a_key_goes_to_the_one_vendor(standing, model, name, vendor):
    """And to its configured host, whatever the words of the request look like."""
    provider, proxy = standing
    provider.answer = lambda sock, _: sock.sendall(raw(200, {}))
    asked = len(provider.received)

    with proxy.client(X_Lectr_Provider=name, Host="evil.test") as client:
        client.post(
            "/v1/chat/completions", json={"model": model}, headers={"X-Lectr-X": "1"}
        )

    [received] = provider.received[asked:]
    path = received.line.split()[1]
    headers = dict(received.headers)
    assert path.startswith(f"/{vendor}/")
    assert headers["host"] == provider.url.removeprefix("http://")
    assert not [n for n in headers if n.startswith("x-lectr")]
    if vendor == "azure":
        assert path.count("/") == 6  # a slash in the name did not become one


@pytest.mark.parametrize(
    "target",
    [
        b"http://evil.test/v1/models",
        b"//evil.test/v1/models",
        b"/v1//evil.test/x",
        b"/v1/@evil.test/x",
        b"/v1/..//evil.test/",
        b"/v1/%2f%2fevil.test/x",
        b"/v1/http://evil.test/",
        b"/v1/\\evil.test",
        b"/v1/x?url=http://evil.test",
        b"evil.test:443",
    ],
)
@pytest.mark.parametrize("method", [b"GET", b"CONNECT"])
def test_a_path_never_chooses_the_host(standing, target, method):
    """It is refused, or it is asked for at the configured host."""
    provider, proxy = standing
    provider.answer = lambda sock, _: sock.sendall(raw(200, {}))
    asked = len(provider.received)
    keys = b"".join(
        b"%s: %s\r\n" % (n.encode(), v.encode()) for n, v in proxy.keys().items()
    )
    port = int(proxy.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
        sock.sendall(
            b"%s %s HTTP/1.1\r\nhost: evil.test\r\nconnection: close\r\n%s\r\n"
            % (method, target, keys)
        )
        with sock.makefile("rb") as file:
            status = int(file.read().split()[1])

    seen = provider.received[asked:]
    assert len(seen) == (status == 200)
    for received in seen:
        assert received.line.split()[1].startswith("/openai/v1/")
        assert dict(received.headers)["host"] == provider.url.removeprefix("http://")

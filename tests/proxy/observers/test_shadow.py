"""Shadows at real sockets: after the client's reply, under the operator's key, as a
number."""

import gzip
import itertools
import json
import threading
import time

import httpx
import pytest

from lectr_lab.config.settings import AzureSettings, ProviderSettings, Settings
from lectr_lab.config.shadow_settings import ShadowSettings
from lectr_lab.core.errors import ConfigError
from lectr_lab.launch import Session, build
from lectr_lab.log.scan import scan
from lectr_lab.proxy.server.run import in_thread
from lectr_lab.tape.cassette import Chunk, Interaction
from lectr_lab.tape.engine import TapeEngine, played_by
from lectr_lab.tape.match import Tape

CHAT = "/v1/chat/completions"
OPERATOR = "operator-key-of-groq-0123456789"
ASKED = {"model": "gpt-4o", "messages": [{"role": "user", "content": "yes or no?"}]}
TAGS = {"X_Lectr_Feature": "faq", "X_Lectr_Task": "classification"}


def reply(text: str, model: str = "m", **usage: int) -> bytes:
    body = {
        "model": model,
        "choices": [
            {"index": 0, "message": {"content": text}, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 9, "completion_tokens": 2} | usage,
    }
    return http(json.dumps(body).encode())


def http(body: bytes, kind: str = "application/json", more: str = "") -> bytes:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n{more}"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def calls(arguments: str) -> bytes:
    tool = {"function": {"name": "add", "arguments": arguments}}
    choice = {"message": {"content": None, "tool_calls": [tool]}}
    return http(json.dumps({"choices": [choice]}).encode())


def stream(*texts: str) -> bytes:
    chunks = [{"choices": [{"index": 0, "delta": {"content": t}}]} for t in texts]
    body = b"".join(b"data: %s\n\n" % json.dumps(c).encode() for c in chunks)
    return http(body + b"data: [DONE]\n\n", "text/event-stream")


@pytest.fixture
def shadowed(start, vendors, monkeypatch):
    """Start a proxy that shadows with Groq, before providers that answer so."""

    def begin(present: bytes, candidate: bytes, engine: str = "native", **changes):
        monkeypatch.setenv("OPERATOR_GROQ", OPERATOR)
        vendors["openai"].answer = lambda sock, _: sock.sendall(present)
        vendors["groq"].answer = lambda sock, _: sock.sendall(candidate)
        said = {"model": "llama-3.1-8b-instant", "provider": "groq", "share": 1.0}
        providers = {
            name: ProviderSettings(base_url=f"{vendors[name].url}/v1")
            for name in ("openai", "anthropic", "gemini")
        }
        groq = ProviderSettings(
            base_url=f"{vendors['groq'].url}/v1", operator_key_env="OPERATOR_GROQ"
        )
        return start(
            "",
            engine=engine,
            providers=providers | {"groq": groq},
            shadow=ShadowSettings(**said | changes),
        )

    return begin


def settled(proxy, events: int) -> list[dict]:
    """The rows, once there are so many, the client's before their shadows."""
    rows = proxy.events(events)
    return sorted(rows, key=lambda row: row["kind"])


def health(proxy) -> dict:
    with proxy.client() as client:
        return client.get("/health").json()["shadows"]


@pytest.mark.parametrize(
    ("present", "candidate", "agreement"),
    [
        (reply("Yes."), reply("yes", model="llama"), 1.0),
        (reply("Yes."), reply("no"), 0.0),
        (stream("Y", "es"), stream("yes"), 1.0),
        (
            http(gzip.compress(reply("Yes").split(b"\r\n\r\n")[1]), more="content-encoding: gzip\r\n"),
            reply("yes"),
            1.0,
        ),
        (calls('{"a": 1}'), calls('{"a":1.0}'), 1.0),
        (calls('{"a": 1}'), reply("yes"), 0.0),
        (reply("y" * 65_537), reply("y" * 65_537), None),
        (reply("Yes."), b"HTTP/1.1 429 No\r\ncontent-length: 2\r\n\r\n{}", None),
        (reply("Yes."), b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}", None),
    ],
)  # fmt: skip
def test_the_candidates_agreement_is_an_event_of_its_own(
    shadowed, vendors, engine, present, candidate, agreement
):
    """Both asked the same but for the model; the log has a number and the tokens."""

    proxy = shadowed(present, candidate, engine)
    vendors["groq"].answer = lambda sock, _: sock.sendall(candidate) or sock.close()

    with proxy.client(**TAGS) as client:
        answered = client.post(CHAT, json=ASKED)

    mine, shadow = settled(proxy, 2)
    assert answered.status_code == 200
    assert mine["kind"] == "request" and mine["provider"] == "openai"
    assert (mine["agreement"], mine["shadow_of"]) == (None, None)
    assert shadow["shadow_of"] == mine["event_id"]
    assert shadow["agreement"] == agreement
    assert (shadow["provider"], shadow["provider_source"]) == ("groq", None)
    assert shadow["credential"] == "api_key"
    assert shadow["model_sent"] == "llama-3.1-8b-instant"
    assert (shadow["org"], shadow["feature"]) == ("acme", "faq")
    assert shadow["task"] == "classification"
    [received] = vendors["groq"].received
    assert json.loads(received.body) == ASKED | {"model": "llama-3.1-8b-instant"}
    assert dict(received.headers)["authorization"] == f"Bearer {OPERATOR}"
    assert b"sk-provider" not in received.head + received.body
    assert OPERATOR.encode() not in vendors["openai"].received[0].head


def test_the_client_never_waits_for_it(shadowed, vendors):
    """Its reply is whole before the candidate is asked, and more requests are served
    while that one thinks."""
    proxy = shadowed(reply("yes"), b"")
    served = threading.Event()

    def slow(sock, _):
        assert served.wait(10), "a client waited for a shadow"
        sock.sendall(reply("yes"))

    vendors["groq"].answer = slow
    with proxy.client() as client:
        for _ in range(3):
            client.post(CHAT, json=ASKED)
    served.set()

    rows = settled(proxy, 6)
    assert [row["kind"] for row in rows] == ["request"] * 3 + ["shadow"] * 3
    assert health(proxy) == {
        "sent": 3,
        "compared": 3,
        "dropped": 0,
        "over_cap": 0,
        "running": 0,
    }


def test_what_there_is_no_room_for_is_dropped_and_counted(shadowed, vendors):
    """Four at once; and a cap a day."""
    proxy = shadowed(reply("yes"), b"", calls_per_day=5)
    vendors["groq"].answer = lambda sock, _: (
        time.sleep(0.5) or sock.sendall(reply("no"))
    )

    with proxy.client() as client:
        for _ in range(6):
            client.post(CHAT, json=ASKED)
        proxy.events(10)
        for _ in range(3):
            client.post(CHAT, json=ASKED)

    rows = settled(proxy, 14)
    assert len([row for row in rows if row["kind"] == "shadow"]) == 5
    counts = health(proxy)
    assert (counts["sent"], counts["dropped"], counts["over_cap"]) == (5, 2, 2)


@pytest.mark.parametrize(
    ("path", "body", "tags"),
    [
        (CHAT, ASKED, {"X_Lectr_Task": "reasoning"}),
        (CHAT, ASKED | {"user": "sk-provider"}, {}),
        ("/v1/responses", {"model": "gpt-4o", "input": "hi"}, {}),
        ("/v1/embeddings", {"model": "text-embedding-3-small", "input": "hi"}, {}),
        ("/v1/messages", {"model": "claude-x", "messages": []}, {}),
        (CHAT, ASKED | {"pad": "x" * 1024 * 1024}, {}),
    ],
)
def test_what_must_not_be_asked_again_is_not(shadowed, vendors, path, body, tags):
    """Reasoning, stored replies, what holds a key, what the candidate does not offer."""
    proxy = shadowed(reply("yes"), reply("yes"))

    with proxy.client(**tags) as client:
        client.post(path, json=body)

    proxy.event()
    assert vendors["groq"].received == []


def test_a_compressed_request_has_no_shadow(shadowed, vendors):
    """Another model cannot be named in it, and a key in it not be seen."""
    proxy = shadowed(reply("yes"), reply("yes"))

    with proxy.client(Content_Encoding="gzip") as client:
        client.post(CHAT, content=gzip.compress(json.dumps(ASKED).encode()))

    assert proxy.event()["model_requested"] == ASKED["model"]
    assert vendors["groq"].received == []
    assert health(proxy)["dropped"] == 1


def test_a_failed_request_has_no_shadow(shadowed, vendors):
    """There is nothing to compare."""
    proxy = shadowed(b"HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\n{}", reply("yes"))

    with proxy.client() as client:
        client.post(CHAT, json=ASKED)

    proxy.event()
    assert vendors["groq"].received == []


def test_a_large_reply_is_passed_on_and_not_compared(shadowed, vendors):
    """What is kept is bounded."""
    large = reply("x" * 2 * 1024 * 1024)
    proxy = shadowed(large, reply("yes"))

    with proxy.client() as client:
        got = client.post(CHAT, json=ASKED)

    proxy.event()
    assert got.content == large.split(b"\r\n\r\n", 1)[1]
    assert vendors["groq"].received == []
    assert health(proxy)["dropped"] == 1


def test_no_key_of_a_client_goes_to_the_candidate(shadowed, vendors):
    """From each vendor's clients, in each header a key can come in."""
    proxy = shadowed(reply("yes"), reply("yes"))
    models = {"openai": "gpt-4o", "anthropic": "claude-x", "groq": "llama-3"}
    models |= {"gemini": "gemini-2.0-flash"}
    for name in ("anthropic", "gemini"):
        vendors[name].answer = lambda sock, _: sock.sendall(reply("yes"))
    styles = ("bare", "bearer", "x-api-key", "api-key", "x-goog-api-key")
    sent = list(itertools.product(models, styles))

    with proxy.client() as client:
        for source, style in sent:
            key = f"client-key-of-{source}-0123456789"
            name = "Authorization" if style in ("bearer", "bare") else style
            headers = {"Authorization": "", "Cookie": key, "User-Agent": f"a/{key}"}
            headers |= {"x-mine": key, name: key}
            if style == "bearer":
                headers[name] = f"Bearer {key}"
            body = ASKED | {"model": models[source]}
            client.post(f"{CHAT}?key={key}", json=body, headers=headers)
            while health(proxy)["running"]:
                time.sleep(0.01)

    rows = settled(proxy, 2 * len(sent))
    assert len([row for row in rows if row["agreement"] == 1.0]) == len(sent)
    for name, vendor in vendors.items():
        for received in vendor.received:
            seen = received.head + received.body
            assert b"lc_key_" not in seen
            others = (n for n in models if n != name)
            assert not [n for n in others if f"client-key-of-{n}".encode() in seen]
            own = f"client-key-of-{name}".encode() in seen
            assert own != (OPERATOR.encode() in seen)


def test_without_the_operators_key_it_does_not_start(tmp_path):
    """It says what to write; a server that wants no key is fine."""
    shadow = ShadowSettings(model="m", provider="azure", share=0.1)
    settings = Settings(
        lab=str(tmp_path), azure=AzureSettings(endpoint="https://x.test"), shadow=shadow
    )

    with pytest.raises(ConfigError, match=r"operator_key_env under \[azure\]"):
        build(settings)
    local = AzureSettings(endpoint="http://127.0.0.1:1", auth="none")
    build(Settings(lab=str(tmp_path), azure=local, shadow=shadow))


def test_in_a_replay_the_candidate_is_on_the_tape_too(tmp_path):
    """Whatever is asked is asked of the recordings: nothing else is reached."""
    bodies = [json.dumps(ASKED | {"model": m}).encode() for m in ("gpt-4o", "cheaper")]
    answer = (Chunk(0.0, reply("Yes.").partition(b"\r\n\r\n")[2]),)
    recorded = [
        Interaction(
            file="tape.yaml",
            number=number,
            method="POST",
            uri="https://api.openai.com/v1/chat/completions",
            provider=provider,
            request_headers=(),
            request_body=body,
            status=200,
            response_headers=((b"content-type", b"application/json"),),
            chunks=answer,
        )
        for number, (body, provider) in enumerate(
            zip(bodies, ("openai", "groq"), strict=True), 1
        )
    ]
    shadow = ShadowSettings(model="cheaper", provider="groq", share=1.0)
    settings = played_by(Settings(lab=str(tmp_path / "lab"), shadow=shadow))
    played: list[Interaction] = []
    engine = TapeEngine(Tape(recorded), 0, on_played=played.append)
    session = Session()
    with in_thread(build(settings, session, engine=engine)) as url:
        headers = {"X-Lectr-Key": session.key, "X-Lectr-Task": "classification"}
        httpx.post(f"{url}{CHAT}", json=ASKED, headers=headers, trust_env=False)
        deadline = time.monotonic() + 10
        while httpx.get(f"{url}/health").json()["shadows"]["compared"] == 0:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    agreed = scan(tmp_path / "lab").sort("kind").collect()["agreement"].to_list()
    assert played == recorded
    assert agreed == [None, 1.0]


def test_shutdown_does_not_wait_for_a_shadow(tmp_path, vendors, monkeypatch):
    """It is broken off, and that is on record."""
    monkeypatch.setenv("K", OPERATOR)
    vendors["openai"].reply(reply("yes"))
    vendors["groq"].answer = lambda sock, _: time.sleep(20)
    providers = {
        name: ProviderSettings(base_url=f"{vendors[name].url}/v1", operator_key_env="K")
        for name in ("openai", "groq")
    }
    shadow = ShadowSettings(model="m", provider="groq", share=1.0)
    settings = Settings(lab=str(tmp_path / "lab"), providers=providers, shadow=shadow)
    keys = {"X-Lectr-Key": "lc_key_of-this-test", "Authorization": "Bearer sk-1"}

    with in_thread(build(settings, Session("lc_key_of-this-test"))) as url:
        httpx.post(f"{url}{CHAT}", json=ASKED, headers=keys)
        while not vendors["groq"].received:
            time.sleep(0.01)
        began = time.monotonic()

    assert time.monotonic() - began < 10
    rows = scan(tmp_path / "lab").collect().to_dicts()
    [shadow_row] = [row for row in rows if row["kind"] == "shadow"]
    assert (len(rows), shadow_row["outcome"]) == (2, "upstream_disconnect")

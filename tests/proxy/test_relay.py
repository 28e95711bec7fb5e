"""Section 1 to 4 of the specification, at real sockets."""

import json
import socket
import threading
import time

import httpx
import pytest

CHUNKED = (
    b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    b"2\r\nab\r\n1\r\nc\r\n0\r\nx-trailer: 1\r\n\r\n"
)
CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}


def test_a_tagged_call_leaves_one_event_named_after_its_tags(provider, proxy):
    """One request, one row: who, what, how it went, how long."""
    provider.reply(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_1\r\n"
        b"connection: close\r\n\r\n"
        b'{"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"finish_reason":"stop",'
        b'"message":{"content":"hello"}}],"usage":{"prompt_tokens":9,"completion_tokens":1}}'
    )
    tags = {"X_Lectr_Feature": "greeter", "X_Lectr_Task": "Generation"}

    with proxy.client(**tags) as client:
        reply = client.post("/v1/chat/completions", json=CHAT)

    event = proxy.event()
    assert reply.status_code == 200
    assert (event["org"], event["feature"], event["task"]) == (
        "acme",
        "greeter",
        "generation",
    )
    assert (event["provider"], event["provider_source"]) == ("openai", "model")
    assert (event["model_requested"], event["model_actual"]) == (
        "gpt-4o-mini",
        "gpt-4o-mini-2024-07-18",
    )
    assert (event["input_tokens"], event["output_tokens"]) == (9, 1)
    assert (event["status"], event["outcome"]) == (200, "ok")
    assert event["finish_reason"] == "stop"
    assert event["provider_request_id"] == "req_1"
    assert 0 < event["ttfb_ms"] <= event["total_ms"]
    assert 0 < event["overhead_ms"] < event["total_ms"]
    assert (event["message_count"], event["prompt_chars"]) == (1, 2)


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "missing_lectr_key"),
        ({"X-Lectr-Key": ""}, 401, "missing_lectr_key"),
        ({"X-Lectr-Key": "lc_key_wrong"}, 401, "invalid_lectr_key"),
        ({"X-Lectr-Key": "café".encode()}, 401, "invalid_lectr_key"),
    ],
)
def test_a_stranger_is_refused_and_leaves_no_row(
    provider, proxy, headers, status, code
):
    """401 in the SDKs' shape; the provider is never contacted; only a count is kept."""
    sent = {"Authorization": "Bearer sk-provider"} | headers

    reply = httpx.post(f"{proxy.url}/v1/chat/completions", json=CHAT, headers=sent)

    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)
    assert reply.json()["error"]["type"] == "authentication_error"
    assert not provider.received
    health = httpx.get(f"{proxy.url}/health").json()
    assert (health["unknown_callers"], health["events"]["received"]) == (1, 0)


def test_two_different_keys_are_a_401(provider, proxy):
    """Which one it was cannot be told."""
    from_one = [("X-Lectr-Key", "lc_key_a"), ("X-Lectr-Key", "lc_key_b")]

    reply = httpx.post(f"{proxy.url}/v1/chat/completions", json=CHAT, headers=from_one)

    assert reply.json()["error"]["code"] == "invalid_lectr_key"
    assert not provider.received


def test_a_refusal_of_a_known_caller_is_an_event(provider, proxy):
    """What the caller must mend is told to them and to the log."""
    with proxy.client(Authorization="") as client:
        reply = client.post("/v1/chat/completions", json=CHAT)

    event, code = proxy.event(), "missing_authorization"
    assert (reply.status_code, reply.json()["error"]["code"]) == (401, code)
    assert (event["outcome"], event["status"]) == ("refused", 401)
    assert (event["error_type"], event["error_source"]) == (code, "client")
    assert not provider.received


@pytest.mark.parametrize(
    ("sent", "path", "key_header"),
    [
        ({"model": "gpt-4o"}, "/openai/v1/chat/completions", ("authorization", "Bearer sk-1")),
        ({"model": "claude-x"}, "/anthropic/v1/chat/completions", ("x-api-key", "sk-1")),
        ({"model": "llama3-8b-8192"}, "/groq/openai/v1/chat/completions", ("authorization", "Bearer sk-1")),
        ({"model": "gemini-2.0-flash"}, "/gemini/v1beta/openai/chat/completions", ("authorization", "Bearer sk-1")),
    ],
)  # fmt: skip
def test_each_provider_gets_its_own_path_and_key_header(
    provider, start, engine, sent, path, key_header
):
    """Detection from the model, and the key in the one header that provider reads."""
    proxy = start(provider.url, engine=engine)

    with proxy.client(Authorization="Bearer sk-1") as client:
        client.post("/v1/chat/completions", json=sent)

    [received] = provider.received
    assert received.line == f"POST {path} HTTP/1.1"
    assert key_header in received.headers
    assert json.loads(received.body) == sent


def test_azure_is_reached_by_its_header(provider, proxy):
    """X-Lectr-Provider: azure; the deployment is the model, the key goes as api-key."""
    with proxy.client(X_Lectr_Provider="Azure", Authorization="Bearer k") as client:
        client.post("/v1/chat/completions", json={"model": "my-gpt"})

    [received] = provider.received
    assert received.line == (
        "POST /azure/openai/deployments/my-gpt/chat/completions?api-version=v9 HTTP/1.1"
    )
    assert ("api-key", "k") in received.headers
    assert "authorization" not in dict(received.headers)


def test_azure_without_an_endpoint_says_what_to_configure(provider, start):
    """400 azure_config_missing."""
    proxy = start(provider.url)
    from lectr_lab.config.settings import Settings

    assert Settings().address_for("acme", "azure") is None
    with proxy.client(X_Lectr_Provider="azure") as client:
        assert client.post("/v1/embeddings", json={"model": "e"}).status_code == 200


def test_an_invalid_provider_header_is_logged_and_openai_is_asked(provider, proxy):
    """Never refused, and not left to detection."""
    with proxy.client(X_Lectr_Provider="bedrock") as client:
        client.post("/v1/chat/completions", json={"model": "claude-x"})

    event = proxy.event()
    assert (event["provider"], event["provider_source"]) == ("openai", "default")
    assert (event["provider_header"], event["provider_unknown"]) == ("bedrock", True)
    assert provider.received[0].line.startswith("POST /openai/v1/")


def test_no_lectr_header_reaches_the_provider(provider, start, engine):
    """And the client's own headers do, repeated ones included."""
    proxy = start(provider.url, engine=engine)
    extra = [("X-Lectr-Feature", "f"), ("X-Lectr-Whatever", "w"), ("X-Mine", "1")]
    extra += [("X-Mine", "2"), ("User-Agent", "tests/1"), ("Accept-Encoding", "br")]

    with proxy.client() as client:
        client.post("/v1/chat/completions", json=CHAT, headers=extra)

    headers = provider.received[0].headers
    assert not [name for name, _ in headers if name.startswith("x-lectr")]
    assert [value for name, value in headers if name == "x-mine"] == ["1", "2"]
    assert ("user-agent", "tests/1") in headers
    assert ("accept-encoding", "br") in headers


def test_the_reply_is_the_providers_header_for_header(provider, start, engine):
    """Values exact, repeats in order, nothing of ours added, hop-by-hop ones gone."""
    provider.reply(
        b"HTTP/1.1 200 OK\r\nServer: theirs\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
        b"Set-Cookie: a=1\r\nset-cookie: b=2\r\nX-Empty:\r\nX-Latin: caf\xe9\r\n"
        b"Connection: close, X-Hop\r\nX-Hop: 1\r\nContent-Length: 3\r\n\r\nabc"
    )
    proxy = start(provider.url, engine=engine)

    with proxy.client() as client:
        reply = client.post("/v1/chat/completions", json=CHAT)

    assert reply.content == b"abc"
    assert [(n.lower(), v) for n, v in reply.headers.raw] == [
        (b"server", b"theirs"),
        (b"date", b"Mon, 01 Jan 2024 00:00:00 GMT"),
        (b"set-cookie", b"a=1"),
        (b"set-cookie", b"b=2"),
        (b"x-empty", b""),
        (b"x-latin", b"caf\xe9"),
        (b"content-length", b"3"),
    ]


@pytest.mark.parametrize(
    "reply",
    [
        CHUNKED,
        b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabc",
        b"HTTP/1.0 200 OK\r\n\r\nabc",
    ],
)
def test_every_framing_gives_the_same_body(provider, start, engine, reply):
    """Chunked with 1xx and trailers, or delimited by the connection's end."""
    provider.reply(reply)
    proxy = start(provider.url, engine=engine)

    with proxy.client() as client:
        got = client.post("/v1/chat/completions", json=CHAT)

    assert (got.status_code, got.content) == (200, b"abc")
    assert "x-trailer" not in got.headers


def test_chunks_are_passed_on_as_they_arrive(provider, start, engine):
    """Nothing waits for a whole line, event or body."""
    may_end = threading.Event()

    def answer(sock, _):
        sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n")
        sock.sendall(b"connection: close\r\n\r\ndata: {")
        assert may_end.wait(5), "the first half never reached the client"
        sock.sendall(b"}\n\ndata: [DONE]\n\n")
        sock.close()

    provider.answer = answer
    proxy = start(provider.url, engine=engine)

    with (
        proxy.client() as client,
        client.stream("POST", "/v1/chat/completions", json=CHAT) as reply,
    ):
        chunks = reply.iter_raw()
        first = next(chunks)
        may_end.set()
        rest = b"".join(chunks)

    assert first == b"data: {"
    assert rest == b"}\n\ndata: [DONE]\n\n"


def test_a_client_that_leaves_cancels_the_provider(provider, start, engine):
    """The upstream connection is closed, and the row says who left."""

    def answer(sock, _):
        sock.sendall(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
        while True:  # until the proxy hangs up
            sock.sendall(b"data: {}\n\n")
            time.sleep(0.01)

    provider.answer = answer
    proxy = start(provider.url, engine=engine)

    with (
        proxy.client() as client,
        client.stream("POST", "/v1/chat/completions", json=CHAT) as reply,
    ):
        next(reply.iter_raw())

    assert provider.hung_up.wait(5)
    event = proxy.event()
    assert (event["outcome"], event["status"]) == ("client_disconnect", 200)
    assert event["error_source"] == "client"


def test_a_client_that_leaves_once_all_is_said_had_its_reply(provider, start, engine):
    """Stop reason and final usage are in: nobody has to wait for the last byte."""
    delta = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}
    last = json.dumps(delta | {"usage": {"input_tokens": 9, "output_tokens": 5}})

    def answer(sock, _):
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
        sock.sendall(head + b"connection: close\r\n\r\ndata: %s\n\n" % last.encode())
        assert sock.recv(1) == b""  # until the proxy hangs up
        provider.hung_up.set()

    provider.answer = answer
    proxy = start(provider.url, engine=engine)

    sent = {"model": "claude-x", "stream": True}
    with (
        proxy.client() as client,
        client.stream("POST", "/v1/messages", json=sent) as reply,
    ):
        next(reply.iter_raw())

    assert provider.hung_up.wait(30)
    event = proxy.event()
    assert (event["outcome"], event["finish_reason"]) == ("ok", "end_turn")
    assert (event["input_tokens"], event["output_tokens"]) == (9, 5)
    assert event["error_type"] is event["error_source"] is None


def test_a_client_that_leaves_before_the_reply_cancels_too(provider, proxy):
    """No status was seen, and the row says so with null."""
    asked = threading.Event()

    def answer(sock, _):
        asked.set()
        assert sock.recv(1) == b""  # the proxy closed its side
        provider.hung_up.set()

    provider.answer = answer
    body = json.dumps(CHAT).encode()
    with socket.create_connection(("127.0.0.1", int(proxy.url.split(":")[2]))) as sock:
        sock.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n"
            b"x-lectr-key: lc_key_for-these-tests-only\r\nauthorization: Bearer k\r\n"
            b"content-length: %d\r\n\r\n%s" % (len(body), body)
        )
        assert asked.wait(5)

    assert provider.hung_up.wait(5)
    event = proxy.event()
    assert (event["outcome"], event["status"]) == ("client_disconnect", None)


def test_a_provider_that_cannot_be_reached_is_a_503(start, engine):
    """In OpenAI's shape, with an event."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    proxy = start(f"http://127.0.0.1:{port}", engine=engine)

    with proxy.client() as client:
        reply = client.post("/v1/chat/completions", json=CHAT)

    assert reply.status_code == 503
    assert reply.json()["error"]["code"] == "provider_unreachable"
    event = proxy.event()
    assert (event["outcome"], event["error_source"]) == ("unreachable", "provider")


def test_a_silent_provider_is_a_504(provider, start, engine):
    """No response headers in time."""
    provider.answer = lambda sock, _: time.sleep(0.5)
    proxy = start(provider.url, engine=engine, response_timeout_s=0.1)

    with proxy.client() as client:
        reply = client.post("/v1/chat/completions", json=CHAT)

    assert reply.status_code == 504
    assert reply.json()["error"]["code"] == "provider_timeout"
    assert proxy.event()["outcome"] == "timeout"


def test_a_provider_that_breaks_off_breaks_the_client_off(
    provider, start, engine, capfd
):
    """The client notices, and nothing is printed."""
    provider.reply(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
    proxy = start(provider.url, engine=engine)

    with proxy.client() as client, pytest.raises(httpx.RemoteProtocolError):
        client.post("/v1/chat/completions", json=CHAT)

    event = proxy.event()
    assert (event["outcome"], event["response_bytes"]) == ("upstream_disconnect", 4)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_over_the_limit_is_a_413(provider, start, declared):
    """From Content-Length where there is one, else while reading."""
    proxy = start(provider.url, max_body_bytes=1000)
    body = b'{"model": "gpt-4o", "x": "' + b"a" * 1000 + b'"}'

    with proxy.client() as client:
        reply = client.post(
            "/v1/chat/completions", content=body if declared else iter([body])
        )

    assert reply.status_code == 413
    assert reply.json()["error"]["code"] == "request_too_large"
    assert proxy.event()["outcome"] == "refused"
    assert not provider.received


@pytest.mark.parametrize("path", ["/v1/models", "/openai/v1/models", "/v1/files/f%2F1"])
def test_other_paths_pass_through(provider, proxy, path):
    """By their raw path, logged without usage."""
    with proxy.client() as client:
        reply = client.get(path)

    event = proxy.event()
    assert (reply.status_code, reply.content) == (200, b"{}")
    assert provider.received[0].line.endswith(f"{path.split('/v1/')[1]} HTTP/1.1")
    kind = path.split("/v1/")[1].partition("/")[0]
    assert (event["operation"], event["token_source"]) == (kind, "absent")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/orgs",
        "/v1/orgs/x/rotate-key",
        "/v1/%6frgs",
        "/v1//orgs",
        "/v1/./orgs",
        "/v2",
    ],
)
def test_what_is_ours_or_nobodys_reaches_no_provider(provider, proxy, path):
    """/v1/orgs stays here however it is spelt; paths outside /v1 are a 404."""
    with proxy.client() as client:
        reply = client.post(path, json={"model": "gpt-4o"})

    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "unknown_path")
    assert not provider.received


def test_a_name_that_contains_a_key_is_redacted_in_the_log(provider, proxy):
    """Of the stored client strings, one with a key in it becomes [redacted]."""
    with proxy.client(X_Lectr_Feature="f-sk-provider", X_Lectr_Task="t") as client:
        client.post("/v1/chat/completions", json={"model": "sk-provider"})

    event = proxy.event()
    assert (event["feature"], event["model_requested"]) == ("[redacted]", "[redacted]")
    assert event["task"] == "t"


def test_a_websocket_is_refused_with_a_clear_message(provider, proxy):
    """Realtime does not pass here."""
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}

    with proxy.client() as client:
        reply = client.get("/v1/realtime", headers=upgrade)

    assert (reply.status_code, reply.json()["error"]["code"]) == (
        426,
        "websocket_unsupported",
    )
    assert not provider.received


def test_what_a_client_says_to_a_proxy_stays_here(provider, start, engine):
    """RFC 9110, 11.7.2: `Proxy-Authorization` is for the first proxy that wants it."""
    proxy = start(provider.url, engine=engine)

    with proxy.client(**{"Proxy-Authorization": "Basic bWU6d29yZA=="}) as client:
        client.post("/v1/chat/completions", json=CHAT)

    names = [name for name, _ in provider.received[0].headers]
    assert "proxy-authorization" not in names and "authorization" in names


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({"Authorization": "Bearer sk-ant-oat01-made-up"}, "plan"),
        ({"Authorization": "Bearer eyJ.e30.x", "ChatGPT-Account-Id": "a"}, "plan"),
        ({"Authorization": "Bearer eyJ.e30.x"}, "other"),
        ({"Authorization": "Bearer sk-made-up"}, "api_key"),
        ({"Authorization": "", "x-api-key": "mine"}, "api_key"),
        ({"Authorization": ""}, "none"),
    ],
)
def test_the_event_says_what_kind_of_credential_paid(proxy, headers, kind):
    """Refused or not, and never the credential itself."""
    with proxy.client() as client:
        client.post("/v1/messages", json={"model": "claude-x"}, headers=headers)

    event = proxy.event()
    assert event["credential"] == kind
    assert "made-up" not in str(event)

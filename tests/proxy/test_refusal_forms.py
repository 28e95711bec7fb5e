"""A refusal is in the form of the API that was asked, at real sockets and real SDKs."""

import json
import shutil
import socket
import subprocess

import anthropic
import httpx
import openai
import pytest

from lectr_lab.config.limit_settings import LimitSettings
from lectr_lab.config.settings import OrgSettings

PATHS = {
    "openai": "/v1/chat/completions",
    "anthropic": "/v1/messages",
    "gemini": "/v1beta/models/gemini-3-pro:generateContent",
}
SAY_HI = [{"role": "user", "content": "hi"}]


def code_in(form: str, status: int, body: bytes) -> str:
    """Our code, in a body that has this form and says what to do."""
    value = json.loads(body)
    error = value["error"]
    assert len(error["message"]) > 20
    if form == "gemini":
        assert set(error) == {"code", "message", "status", "details"}
        assert error["code"] == status
        return error["details"][0]["reason"]
    if form == "anthropic":
        assert value["type"] == "error"
        assert set(error) == {"type", "message", "code"}
    else:
        assert set(value) == {"error"}
    return error["code"]


def in_one_read(url: str, data: bytes) -> tuple[int, bytes, bytes]:
    """Status, head and body of what the first read gives."""
    with socket.create_connection(url.split("//")[1].split(":"), timeout=60) as sock:
        sock.sendall(data)
        head, _, body = sock.recv(65536).partition(b"\r\n\r\n")
    return int(head.split()[1]), head, body


@pytest.fixture(scope="module")
def limited(standing_with):
    """A proxy that has hardly any room and no patience, before a silent provider."""
    provider, proxy = standing_with(
        max_body_bytes=1000,
        response_timeout_s=0.2,
        limits=LimitSettings(head_timeout_s=0.2, body_timeout_s=0.2),
    )
    provider.answer = lambda sock, _: sock.recv(1)
    return proxy


@pytest.mark.parametrize("form", PATHS)
@pytest.mark.parametrize(
    ("lines", "body", "status", "code"),
    [
        (["x-lectr-key:"], b"", 401, "missing_lectr_key"),
        (["x-lectr-key: lc_key_x"], b"", 401, "invalid_lectr_key"),
        (["authorization:"], b"", 401, "missing_authorization"),
        (["upgrade: websocket", "connection: upgrade"], b"", 426, "websocket_unsupported"),
        (["content-length: 1001"], b"", 413, "request_too_large"),
        (["content-length: 9"], b"{}", 408, "request_timeout"),
        ([], b"{}", 504, "provider_timeout"),
        (["host: x"], b"", 400, "bad_request"),
        (["x: " + "y" * 70_000], b"", 431, "head_too_large"),
    ],
)  # fmt: skip
def test_a_refusal_has_the_form_of_its_api(limited, form, lines, body, status, code):
    """The server's own, too; what no retry mends says so; head and body in one write."""
    sent = {name.lower(): value for name, value in limited.keys().items()}
    for line in lines:  # in the place of the usual ones
        sent.pop(line.partition(":")[0], None)
    lines = [f"{n}: {v}" for n, v in sent.items()] + lines
    if not any(line.startswith("content-length") for line in lines):
        lines.append(f"content-length: {len(body)}")
    head = "\r\n".join([f"POST {PATHS[form]} HTTP/1.1", "host: x", *lines])

    got, said, told = in_one_read(limited.url, head.encode() + b"\r\n\r\n" + body)

    assert (got, code_in(form, got, told)) == (status, code)
    assert (b"x-should-retry: false" in said) == (status not in (408, 504))


@pytest.mark.parametrize("form", PATHS)
def test_what_is_read_before_the_head_is_whole_tells_the_form(limited, form):
    """A path that is too long, and a head that never ends."""
    line = f"GET {PATHS[form]}?{'x' * 9000} HTTP/1.1\r\n\r\n"
    slow = f"GET {PATHS[form]} HTTP/1.1\r\nhost: x\r\n"

    for sent, status, code in (
        (line, 414, "request_line_too_long"),
        (slow, 408, "request_timeout"),
    ):
        got, _, told = in_one_read(limited.url, sent.encode())
        assert (got, code_in(form, got, told)) == (status, code)


def test_what_is_no_request_is_refused_in_openais_form(limited):
    """On a connection that was used for another before, too."""
    first = b"GET /v1/messages HTTP/1.1\r\nhost: x\r\n\r\n"

    with socket.create_connection(limited.url.split("//")[1].split(":"), 60) as sock:
        sock.sendall(first)
        _, _, told = sock.recv(65536).partition(b"\r\n\r\n")
        assert code_in("anthropic", 401, told) == "missing_lectr_key"
        sock.sendall(b"\x16\x03\x01\r\n\r\n")
        _, _, told = sock.recv(65536).partition(b"\r\n\r\n")
    assert code_in("openai", 400, told) == "bad_request"


@pytest.mark.parametrize("form", PATHS)
def test_an_unreachable_provider_and_a_full_minute(start, form):
    """503 and 429; who may try again is told when."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    proxy = start(nobody, orgs={"acme": OrgSettings(requests_per_minute=1)})

    with proxy.client() as client:
        replies = [client.post(PATHS[form], json={"model": "m"}) for _ in range(2)]

    codes = [code_in(form, r.status_code, r.content) for r in replies]
    assert [r.status_code for r in replies] == [503, 429]
    assert codes == ["provider_unreachable", "rate_limit_exceeded"]
    assert int(replies[1].headers["retry-after"]) > 0
    assert [e["error_type"] for e in proxy.events(2)] == codes


def test_anthropics_sdk_raises_its_own(proxy, limited):
    """At once, from each status, with our text and our code to be found."""
    wrong = {"X-Lectr-Key": "lc_key_x"}
    right = {"X-Lectr-Key": proxy.keys()["X-Lectr-Key"]}

    def failing(url, headers, text="hi"):
        with anthropic.Anthropic(
            base_url=url, api_key="sk-ant-mine", default_headers=headers
        ) as sdk:
            said = [{"role": "user", "content": text}]
            with pytest.raises(anthropic.APIStatusError) as caught:
                sdk.messages.create(model="claude-x", max_tokens=9, messages=said)
        return caught.value

    unauthorised = failing(proxy.url, wrong)
    too_large = failing(limited.url, right, "x" * 2000)

    assert type(unauthorised) is anthropic.AuthenticationError
    assert "lectr-lab keys create" in str(unauthorised)
    assert unauthorised.body["error"]["code"] == "invalid_lectr_key"
    assert type(too_large) is anthropic.RequestTooLargeError
    assert too_large.body["error"]["type"] == "request_too_large"
    health = httpx.get(f"{proxy.url}/health", trust_env=False).json()
    assert health["unknown_callers"] == 1  # it did not ask again


def test_openais_sdk_still_raises_its_own(proxy):
    """The form that was the only one."""
    with (
        openai.OpenAI(base_url=f"{proxy.url}/v1", api_key="sk-mine") as sdk,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        sdk.chat.completions.create(model="m", messages=SAY_HI)

    assert caught.value.code == "missing_lectr_key"


def test_a_base_url_with_v1_twice_or_not_at_all(provider, proxy):
    """Each SDK shows the name of its own setting; no provider is asked."""
    keys = {"X-Lectr-Key": proxy.keys()["X-Lectr-Key"]}
    told = []
    for end in ("/v1", "/v1/v1"):
        with (
            anthropic.Anthropic(
                base_url=proxy.url + end, api_key="sk-ant-x", default_headers=keys
            ) as sdk,
            pytest.raises(anthropic.NotFoundError, match="ANTHROPIC_BASE_URL") as one,
        ):
            sdk.messages.create(model="claude-x", max_tokens=9, messages=SAY_HI)
        told.append(one.value.body["error"]["code"])
    for end in ("", "/v1/v1"):
        with (
            openai.OpenAI(
                base_url=proxy.url + end, api_key="sk-x", default_headers=keys
            ) as gpt,
            pytest.raises(openai.NotFoundError, match="OPENAI_BASE_URL") as other,
        ):
            gpt.responses.create(model="m", input="hi")
        told.append(other.value.code)

    assert told == ["unknown_path"] * 4
    assert provider.received == []


@pytest.mark.parametrize("cut", [40, 24, 18])
def test_who_begins_in_http2_is_answered_in_http1(limited, cut):
    """With the client's setting that began so."""
    preface = (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(99))[:cut]

    status, _, told = in_one_read(limited.url, preface)

    assert status == (505 if cut >= 24 else 408)
    code = code_in("openai", status, told)
    assert code == ("http_version_unsupported" if cut >= 24 else "request_timeout")
    assert cut < 24 or b"--http2-prior-knowledge" in told


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl_with_prior_knowledge_gives_up_at_once(limited):
    """It shows no text of HTTP/1.1; it does not hang, and without the option it reads."""
    command = ["curl", "-s", "--max-time", "60", f"{limited.url}/v1/models"]

    with_it = subprocess.run([*command, "--http2-prior-knowledge"], check=False)
    without = subprocess.run(command, capture_output=True, check=True)

    assert with_it.returncode not in (0, 28)  # 28: it took too long
    assert code_in("openai", 401, without.stdout) == "missing_lectr_key"

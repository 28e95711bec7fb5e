"""A cassette keeps no secret that is known for one, and plays as it would with it."""

import base64
import json
import random
from pathlib import Path

import httpx
import pytest
from cpu_time import cpu_s

from lectr_lab.resources import shipped_cassettes
from lectr_lab.tape.cassette import read_cassette
from lectr_lab.tape.match import Tape
from lectr_lab.tape.record import Recorder, Saved
from lectr_lab.tape.replacing import mark_of_its_length
from lectr_lab.tape.scrub import RecordedCall, scrubbed
from lectr_lab.tape.secret_patterns import compiled
from lectr_lab.tape.timing_file import Timing
from lectr_lab.tape.write import write_cassette
from lectr_lab.testing.replay import replay

SHARED = Path(__file__).parents[2].parent / "shared" / "cassettes"
# What the recordings hold of their own accord.
DROPPED = """
    authorization x-api-key api-key x-goog-api-key cookie set-cookie openai-organization
    openai-project anthropic-organization-id cf-ray cf-cache-status
""".split()


def made_up(secret):
    """A request, its headers and query, and a reply, with a secret in every place."""
    number = iter(range(100))

    def hush():
        return f"{secret}-{next(number):02}-0123456789"

    mcp = {"type": "mcp", "server_label": "s", "server_url": "https://m.test"}
    search = {"endpoint": "https://s.test", "authentication": {"type": "api_key"}}
    search["authentication"]["key"] = hush()
    signed = {
        "azure": f"https://a.test/f?sv=1&sig={hush()}&sp=r",
        "s3": f"https://b.test/f?X-Amz-Credential={hush()}&X-Amz-Signature={hush()}",
        "gcs": f"https://c.test/f?X-Goog-Signature={hush()}",
        "login": f"postgres://me:{hush()}@db.test/app",
    }
    body = {
        "model": "m",
        "data_sources": [{"type": "azure_search", "parameters": search}],
        "tools": [mcp | {"authorization": hush(), "headers": {"X-Mine": hush()}}],
        "mcp_servers": [{"url": "https://m.test", "authorization_token": hush()}],
        "messages": [
            {
                "role": "user",
                "content": f"{signed} and {json.dumps({'secret': hush()})}",
            },
            {"role": "assistant", "arguments": json.dumps({"token": hush()})},
        ],
    }
    request_headers = """Ocp-Apim-Subscription-Key x-litellm-api-key x-portkey-api-key
        helicone-auth x-functions-key x-goog-iam-authorization-token x-auth-token
        x-ms-authorization-auxiliary x-amz-security-token langsmith-api-key""".split()
    parameters = """X-Amz-Signature X-Amz-Security-Token X-Goog-Signature code secret
        subscription-key client_secret refresh_token jwt auth""".split()
    return (
        json.dumps(body).encode(),
        tuple((n.lower().encode(), hush().encode()) for n in request_headers),
        "&".join(f"{name}={hush()}" for name in parameters),
        {
            "client_secret": {"value": hush(), "expires_at": 1},
            "output": [{"url": url} for url in signed.values()],
            "text": json.dumps({"password": hush()}),
        },
    )


def public():
    """One of each of some public forms."""
    letters = base64.b32encode(random.Random(1).randbytes(25)).decode()
    starts = "AKIA ghp_ github_pat_ glpat- hf_ xoxb- ya29. sk_live_ sess- npm_ pplx- "
    starts += "xai- r8_ lsv2_pt_ AQ. ek_ sk-proj- gsk_ AIza"
    forms = [
        f"{start}{letters[: 16 if start == 'AKIA' else 40]}" for start in starts.split()
    ]
    key = (
        "-----BEGIN "
        + "PRIVATE KEY-----\n"
        + letters
        + "\n-----END "
        + "PRIVATE KEY-----"
    )
    return letters[:16], f"{' '.join(forms)} {key}"


@pytest.mark.parametrize("streamed", [False, True])
def test_no_planted_secret_is_written(origin, send, tmp_path, streamed):
    """Of every place and form, in the request and the reply; it plays for other keys."""
    body, headers, query, reply = made_up("planted")
    letters, texts = public()
    said = json.dumps(reply | {"forms": texts}).encode()
    said = b"event: x\ndata: %s\n\ndata: [DONE]\n\n" % said if streamed else said
    head = b"HTTP/1.1 200 OK\r\nX-Auth-Token: planted-0\r\nRefresh-Token: planted-1\r\n"
    kind = b"text/event-stream" if streamed else b"application/json"
    head += b"Content-Type: %s\r\nContent-Length: %d\r\n\r\n" % (kind, len(said))
    origin.pieces = [(0.0, head + said[:99]), (0.02, said[99:300]), (0.02, said[300:])]
    path = tmp_path / "tape.yaml"
    recorder = Recorder(path)
    send(recorder, f"/v1/chat/completions?{query}&a=1", body, headers)

    saved = recorder.save()

    written = b"".join(p.read_bytes() for p in tmp_path.iterdir())
    assert saved[:4] == Saved(written=1, withheld=0, unfinished=0, reasons={})[:4]
    assert b"planted" not in written
    assert letters.encode() not in written
    [one] = read_cassette(path)
    assert b"X-Amz-Credential=[redacted]&X-Amz-Signature=[redacted]" in one.body
    body, headers, query, _ = made_up("another")
    with replay(path) as proxy:
        got = httpx.post(
            f"{proxy.base_url}/chat/completions?{query}&a=1",
            content=body,
            headers=[*headers, (b"x-lectr-key", proxy.key.encode())],
            trust_env=False,
        )
    assert (got.status_code, got.content) == (200, one.body)


def recordings():
    """Real ones where they are, and those that travel with the package."""
    found = [p for p in SHARED.rglob("*.yaml") if p.parent.parent == SHARED]
    usable = [p for p in found if p.parent.name not in ("other_format", "parsed_body")]
    return [*usable, *shipped_cassettes().rglob("*.yaml")]


def test_the_recordings_are_there(shared):
    """Seventy-nine real ones, or the next test says little."""
    assert len([p for p in recordings() if p.is_relative_to(SHARED)]) == 79


@pytest.mark.parametrize("path", recordings(), ids=lambda path: path.stem[-60:])
def test_a_real_recording_is_left_as_it_is(path):
    """But for headers with keys, cookies and accounts: nothing is taken for a secret."""
    for one in read_cassette(path):
        # A key that was masked by whoever recorded it is a word that stands elsewhere.
        sent, got = (
            tuple(h for h in headers if h[0].decode().lower() not in DROPPED)
            for headers in (one.request_headers, one.response_headers)
        )
        call = RecordedCall(
            method=one.method,
            url=one.uri,
            request_headers=sent,
            request_body=one.request_body,
            status=one.status,
            response_headers=got,
            chunks=tuple(chunk.data for chunk in one.chunks),
        )

        assert scrubbed(call) == call


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_media_embeddings_and_signatures_keep_their_bytes(encode):
    """Random ones of 100 KB, as images, vectors, thoughts and reasoning are."""
    blob = encode(random.Random(3).randbytes(75_000)).decode()
    body = {
        "image_url": {"url": f"data:image/png;base64,{blob}"},
        "embedding": blob,
        "content": [{"type": "thinking", "thinking": "", "signature": blob}],
        "output": [{"type": "reasoning", "encrypted_content": blob}],
        "obfuscation": blob[:16],
    }
    call = RecordedCall(
        method="POST",
        url="https://api.openai.com/v1/responses",
        request_headers=(),
        request_body=json.dumps(body).encode(),
        status=200,
        response_headers=(),
        chunks=(json.dumps(body).encode(), bytes(range(256))),
    )

    assert scrubbed(call) == call


def test_a_tool_loop_plays_with_marks(tmp_path):
    """A token that a model hands to a tool is the same mark wherever it comes again.

    What the player says, the program sends back: it is what was recorded.
    """
    token = base64.urlsafe_b64encode(random.Random(9).randbytes(30)).decode()
    asked = {"model": "m", "messages": [{"role": "user", "content": f"open {token}"}]}
    called = {"name": "open", "arguments": json.dumps({"door": token, "n": 1})}
    message = {
        "role": "assistant",
        "tool_calls": [{"id": "call_1", "function": called}],
    }
    url = "https://api.openai.com/v1/chat/completions"

    def then(answer):
        messages = [
            *asked["messages"],
            answer,
            {"role": "tool", "content": f"{token} ok"},
        ]
        return asked | {"messages": messages}

    def call(body, reply):
        return scrubbed(
            RecordedCall(
                method="POST",
                url=url,
                request_headers=(),
                request_body=json.dumps(body).encode(),
                status=200,
                response_headers=(),
                chunks=(json.dumps({"choices": [{"message": reply}]}).encode(),),
            )
        )

    calls = [call(asked, message), call(then(message), {"content": f"{token} is open"})]
    at_once = [
        Timing(started_ms=0, head_ms=0, chunks=((len(c.chunks[0]), 0),)) for c in calls
    ]
    write_cassette(tmp_path / "loop.yaml", list(zip(calls, at_once, strict=True)))
    tape = Tape(read_cassette(tmp_path / "loop.yaml"))

    first = tape.play(
        tape.request("POST", url, (), json.dumps(asked).encode(), "openai")
    )
    said = json.loads(first.body)["choices"][0]["message"]
    body = json.dumps(then(said)).encode()
    second = tape.play(tape.request("POST", url, (), body, "openai"))

    door = json.loads(said["tool_calls"][0]["function"]["arguments"])["door"]
    assert token not in (tmp_path / "loop.yaml").read_text("utf-8")
    assert door == mark_of_its_length(token.encode()).decode()
    assert (
        json.loads(second.body)["choices"][0]["message"]["content"] == f"{door} is open"
    )


def test_a_recorded_users_pattern_plays_without_it(tmp_path):
    """Who plays a cassette need not know what was taken out of it."""
    url, body = (
        "https://api.openai.com/v1/responses",
        b'{"model":"m","input":"for acme"}',
    )
    one = RecordedCall(
        method="POST",
        url=url,
        request_headers=(),
        request_body=body,
        status=200,
        response_headers=(),
        chunks=(b"acme",),
    )
    call = scrubbed(one, compiled(["ac.e"]))
    timing = Timing(started_ms=0, head_ms=0, chunks=((len(call.chunks[0]), 0),))
    write_cassette(tmp_path / "own.yaml", [(call, timing)])
    tape = Tape(read_cassette(tmp_path / "own.yaml"))

    played = tape.play(tape.request("POST", url, (), body, "openai"))
    missed = tape.play(tape.request("POST", url, (), body[:-1] + b',"n":1}', "openai"))

    assert played.body == b"[redacted]"
    assert missed is None


@pytest.mark.parametrize("size", [1, 4])
def test_the_cost_of_scrubbing_is_linear(size):
    """A longer prompt, stream or list of logprobs costs no more a byte."""
    logprob = {"token": " straw", "logprob": -0.1, "bytes": [32], "top_logprobs": []}
    event = (
        b"data: %s\n\n"
        % json.dumps(
            {
                "choices": [
                    {"index": 0, "delta": {"content": " straw"}, "logprobs": None}
                ]
            }
        ).encode()
    )
    kinds = {
        "prompt": lambda n: json.dumps(
            {"content": "so it is: a=1 of https://x.test?b=2\n" * n}
        ),
        "logprobs": lambda n: json.dumps({"content": [logprob] * n}),
        "stream": lambda n: (event * n).decode(),
        "secrets": lambda n: json.dumps({"a": [{"password": "hush-0123456789"}] * n}),
    }
    for kind, made in kinds.items():
        bound_s = 4 * 4 * size * max(took_s(made(500)), 0.01)
        assert took_s(made(500 * 4 * size), bound_s) < bound_s, kind


def took_s(text, enough_s=0.0):
    call = RecordedCall(
        method="POST",
        url="https://api.openai.com/v1/responses",
        request_headers=(),
        request_body=b"{}",
        status=200,
        response_headers=(),
        chunks=(text.encode(),),
    )
    return cpu_s(lambda: scrubbed(call), enough_s=enough_s)

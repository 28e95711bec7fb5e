"""Nothing that is planted is written, wherever it stands, and what is written plays.

Two hundred and forty-two calls, each with a secret made up from a seed in a place made up
from it, pass through the real `lectr-lab record` from a real program.
"""

import base64
import gzip
import http.server
import json
import random
import string
import subprocess
import sys
import threading
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import httpx
import pytest

from lectr_lab.tape.cassette import read_cassette
from lectr_lab.tape.secret_patterns import NO_MARKS, clean
from lectr_lab.testing.replay import replay

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_WORDS = "the quick report says that our service in Zürich answers 东京 slowly".split()
_NAMES = "content input note metadata args filters items report rows a b deep".split()
_STARTS = (
    "ghp_ glpat- hf_ xoxb- sk_live_ npm_ pplx- xai- r8_ dckr_pat_ AIza sk-".split()
)
_SECRET_NAMES = """api_key password clientSecret x-api-key access_token private_key
    refresh_token OPENAI_API_KEY authorization db_password""".split()


class Planted(NamedTuple):
    """A call with one secret in it."""

    secret: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    reply: tuple[bytes, ...]  # in chunks
    reply_headers: tuple[tuple[str, str], ...]


def planted(seed: int) -> Planted:
    """The call of a seed: any secret, in any place of the request or the reply."""
    dice = random.Random(seed)
    place = _PLACES[seed % len(_PLACES)]
    named = place in _NAMED
    secret = dice.choice([_form, _random, _hex] if named else [_form, _random])(dice)
    call = Planted(secret, "", (), b'{"model":"m"}', (b"{}",), ())
    return place(call, dice)


def _form(dice: random.Random) -> str:
    return dice.choice(_STARTS) + "".join(dice.choices(_LETTERS, k=36))


def _random(dice: random.Random) -> str:
    return base64.urlsafe_b64encode(dice.randbytes(36)).decode().rstrip("=")


def _hex(dice: random.Random) -> str:
    return dice.randbytes(16).hex()


def _prose(dice: random.Random, secret: str) -> str:
    words = dice.choices(_WORDS, k=dice.randint(2, 20))
    around = dice.choice(["{}", '"{}"', "\n{}\n", "({})", "`{}`", "is {}.", "<{}>"])
    words.insert(dice.randrange(len(words)), around.format(secret))
    return " ".join(words)


def _deep(dice: random.Random, value: Any) -> Any:
    for _ in range(dice.randint(0, 8)):
        others: dict[str, Any] = dict.fromkeys(dice.sample(_NAMES, 2), 1)
        wrapped = {**others, dice.choice(_NAMES): value}
        value = dice.choice([wrapped, [1, value, None], [wrapped]])
        if dice.random() < 0.15:
            value = {"arguments": json.dumps(value)}
    return value


def _document(dice: random.Random, value: Any) -> bytes:
    layout = dice.choice([{}, {"indent": 2}, {"separators": (",", ":")}])
    ascii_only = dice.random() < 0.5
    body = {"model": "m", "messages": [{"role": "user", "content": _deep(dice, value)}]}
    return json.dumps(body, ensure_ascii=ascii_only, **layout).encode()


def _cut(dice: random.Random, body: bytes) -> tuple[bytes, ...]:
    cuts = sorted(dice.choices(range(len(body) + 1), k=dice.randint(0, 9)))
    return tuple(body[a:b] for a, b in pairwise([0, *cuts, len(body)]))


def _in_a_text(call: Planted, dice: random.Random) -> Planted:
    return call._replace(body=_document(dice, _prose(dice, call.secret)))


def _in_a_member(call: Planted, dice: random.Random) -> Planted:
    value = {dice.choice(_SECRET_NAMES): call.secret}
    return call._replace(body=_document(dice, value))


def _in_a_url(call: Planted, dice: random.Random) -> Planted:
    urls = "https://x.test/f?sig={} postgres://me:{}@db.test/a https://x.test/?a=1&token={}"
    url = dice.choice(urls.split()).format(call.secret)
    return call._replace(body=_document(dice, _prose(dice, url)))


def _in_an_assignment(call: Planted, dice: random.Random) -> Planted:
    lines = 'export API_KEY={}|password: {}|client_secret = "{}"|my password is {}'
    line = dice.choice(lines.split("|")).format(call.secret)
    return call._replace(body=_document(dice, f"{_prose(dice, 'so')}\n{line}\nand"))


def _in_a_query(call: Planted, dice: random.Random) -> Planted:
    name = dice.choice("key sig code token subscription-key X-Amz-Signature".split())
    return call._replace(query=f"?a=1&{name}={call.secret}")


def _in_a_header(call: Planted, dice: random.Random) -> Planted:
    names = "ocp-apim-subscription-key x-acme-thing cookie x-auth-token authorization"
    return call._replace(headers=((dice.choice(names.split()), call.secret),))


def _in_an_upload(call: Planted, dice: random.Random) -> Planted:
    name = dice.choice(["api_key", "password", "token"])
    body = (
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{call.secret}\r\n'
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhi\r\n--b--'
    )
    kind = ("content-type", "multipart/form-data; boundary=b")
    return call._replace(body=body.encode(), headers=(kind,))


def _in_a_reply(call: Planted, dice: random.Random) -> Planted:
    body = _document(dice, _prose(dice, call.secret))
    return call._replace(reply=_cut(dice, body))


def _in_a_compressed_reply(call: Planted, dice: random.Random) -> Planted:
    body = gzip.compress(_document(dice, {dice.choice(_SECRET_NAMES): call.secret}))
    headers = (("content-encoding", "gzip"), ("content-type", "application/json"))
    return call._replace(reply=_cut(dice, body), reply_headers=headers)


def _over_a_stream(call: Planted, dice: random.Random) -> Planted:
    text, events = _prose(dice, call.secret), []
    for index in (0, 1):  # two choices that speak in turn
        pieces = _cut(dice, text.encode("ascii", "ignore"))
        for piece in pieces:
            delta = {"content": piece.decode()}
            events.append({"id": "c", "choices": [{"index": index, "delta": delta}]})
    lines = (b"data: %s\n\n" % json.dumps(event).encode() for event in events)
    kind = (("content-type", "text/event-stream"),)
    body = b"".join([*lines, b"data: [DONE]\n\n"])
    return call._replace(reply=_cut(dice, body), reply_headers=kind)


def _over_arguments(call: Planted, dice: random.Random) -> Planted:
    text = json.dumps({"path": "/a", dice.choice(_SECRET_NAMES): call.secret})
    lines = [
        b"event: content_block_delta\ndata: %s\n\n"
        % json.dumps(
            {
                "type": "content_block_delta",
                "index": 1,
                "delta": {"type": "input_json_delta", "partial_json": piece.decode()},
            }
        ).encode()
        for piece in _cut(dice, text.encode())
    ]
    kind = (("content-type", "text/event-stream"),)
    return call._replace(reply=_cut(dice, b"".join(lines)), reply_headers=kind)


_Place = Callable[[Planted, random.Random], Planted]
_NAMED: tuple[_Place, ...] = (
    _in_a_member,
    _in_a_url,
    _in_an_assignment,
    _in_a_query,
    _in_a_header,
    _in_an_upload,
    _in_a_compressed_reply,
    _over_arguments,
)
_PLACES = (*_NAMED, _in_a_text, _in_a_reply, _over_a_stream)


def streamed(reply: bytes) -> str:
    """All that the events of a stream say, one text after the other."""
    said = []
    for line in reply.split(b"\n"):
        if line.startswith(b"data: {"):
            event = json.loads(line[6:])
            for choice in event.get("choices", [event]):
                said.append("".join(choice.get("delta", {}).values()))
    return "".join(said)


PROGRAM = """\
import base64, http.client, json, os, sys, urllib.parse
url = urllib.parse.urlsplit(os.environ["OPENAI_BASE_URL"])
connection = http.client.HTTPConnection(url.hostname, url.port)
for call in json.load(open(sys.argv[1])):
    headers = {"authorization": "Bearer none", "x-lectr-key": os.environ["LECTR_KEY"]}
    body = base64.b64decode(call["body"])
    connection.request("POST", url.path + call["path"], body, headers | call["headers"])
    connection.getresponse().read()
"""


class Provider(http.server.BaseHTTPRequestHandler):
    """Answers the n-th path with the n-th call's reply, in its chunks."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # each of its chunks would wait for the next
    calls: list[Planted]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        number = self.path.partition("?")[0].rpartition("/")[2]
        call = self.calls[int(number)]
        self.send_response(200)
        for name, value in call.reply_headers:
            self.send_header(name, value)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for chunk in filter(None, call.reply):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *args: object) -> None:
        """It says nothing."""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The calls, and the cassette that the program's run left."""
    calls = [planted(seed) for seed in range(242)]
    folder = tmp_path_factory.mktemp("canaries")
    (folder / "app.py").write_text(PROGRAM)
    asked = [
        {
            "path": f"/things/{number}{call.query}",
            "headers": dict(call.headers),
            "body": base64.b64encode(call.body).decode(),
        }
        for number, call in enumerate(calls)
    ]
    (folder / "calls.json").write_text(json.dumps(asked))
    handler = type("Handler", (Provider,), {"calls": calls})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        upstream = f"http://127.0.0.1:{server.server_address[1]}/v1"
        command = [sys.executable, "-m", "lectr_lab.cli", "record", "chat"]
        command += [
            "--upstream",
            upstream,
            "--",
            sys.executable,
            "app.py",
            "calls.json",
        ]
        done = subprocess.run(
            command,
            check=False,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=300,
        )
        server.shutdown()
    assert done.returncode == 0, done.stderr
    return calls, folder / "cassettes" / "chat.yaml", done.stderr


def test_every_call_is_written(recorded):
    """None is withheld: what is planted is taken out, and counted."""
    calls, path, said = recorded

    assert len(read_cassette(path)) == len(calls)
    assert "withheld" not in said
    for kind in ("the name of a secret", "a public form", "look like a secret"):
        assert f"{kind}." in said


def test_nothing_planted_is_written(recorded):
    """Not as it is, not in what is compressed, and not spelt over a stream."""
    calls, path, _ = recorded
    files = b"".join(file.read_bytes() for file in path.parent.iterdir())

    for call, one in zip(calls, read_cassette(path), strict=True):
        body = one.body
        if body.startswith(b"\x1f\x8b"):
            body = gzip.decompress(body)
        secret = call.secret.encode()
        assert secret not in files
        assert secret not in one.request_body + body
        assert call.secret not in streamed(body)


def test_what_was_recorded_plays(recorded):
    """For the requests as the program sends them, secrets and all."""
    calls, path, _ = recorded
    played = {
        one.uri.rpartition("/")[2].partition("?")[0]: one for one in read_cassette(path)
    }

    with replay(path) as proxy, httpx.Client(trust_env=False) as client:
        for number, call in enumerate(calls):
            reply = client.send(
                client.build_request(
                    "POST",
                    f"{proxy.base_url}/things/{number}{call.query}",
                    content=call.body,
                    headers={**proxy.headers(), **dict(call.headers)},
                ),
                stream=True,
            )
            assert b"".join(reply.iter_raw()) == played[str(number)].body, call
            reply.close()


KINDS = {
    "base62 of 32": lambda dice: "".join(dice.choices(_LETTERS, k=32)),
    "base62 of 40": lambda dice: "".join(dice.choices(_LETTERS, k=40)),
    "base64 of 32 bytes": lambda dice: base64.b64encode(dice.randbytes(32)).decode(),
    "base64url of 32 bytes": lambda dice: _random(dice),
    "small letters and digits": lambda dice: "".join(
        dice.choices(string.ascii_lowercase + string.digits, k=32)
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_most_of_what_is_random_is_known_by_its_look(kind):
    """In prose, of no known form and under no name: nineteen of twenty, and more."""
    dice = random.Random(11)
    secrets = [KINDS[kind](dice) for _ in range(500)]

    found = [s for s in secrets if s.encode() not in clean(_said(s), NO_MARKS)]

    assert len(found) >= 475


def _said(secret: str) -> bytes:
    return json.dumps({"content": f"take {secret} for it"}).encode()

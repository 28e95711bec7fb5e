"""The tape's server, in a thread and as a process."""

import csv
import threading
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest

from lectr_lab.core.errors import CassetteError
from lectr_lab.core.headers import PROVIDERS
from lectr_lab.tape.cassette import Chunk, read_cassette
from lectr_lab.tape.server import TapeServer

INDEX = Path(__file__).parents[2].parent / "shared/cassettes/INDEX.tsv"
ONE = """\
version: 1
interactions:
- request: {method: GET, uri: 'https://api.openai.com/v1/models', body: null}
  response: {status: {code: 200}, body: {string: '{}'}}
"""


def standard_form() -> list[str]:
    """The shared recordings that keep the bytes."""
    if not INDEX.is_file():
        return []
    with INDEX.open(encoding="utf-8") as file:
        paths = [row["path"] for row in csv.DictReader(file, delimiter="\t")]
    return [path for path in paths if not path.startswith("parsed_body/")]


def multiset(headers):
    """Names in any case; a body without a length is framed by the server."""
    pairs = ((name.lower(), value) for name, value in headers)
    return Counter(pair for pair in pairs if pair[0] != b"transfer-encoding")


def test_real_recordings_replay(shared, ask):
    """Status, body bytes and header multiset, each at its own path; twice alike."""
    files = [shared / "cassettes" / name for name in standard_form()]
    recorded = [one for file in files for one in read_cassette(file) if one.provider]
    assert (len(files), len(recorded)) == (79, 127)
    with TapeServer(recorded, speed=0) as tape:
        for one in recorded * 2:
            reply, chunks = ask(tape.base_url(one.provider), one)

            assert reply.status_code == one.status, one
            assert b"".join(chunks) == one.body, one
            got = multiset(reply.headers.raw)
            assert got == multiset(one.response_headers), one


def test_the_recordings_of_local_servers_play_as_any_provider(cassette, ask):
    """At the path each provider has."""
    [one] = read_cassette(cassette(ONE.replace("api.openai.com", "127.0.0.1:8080")))
    paths = {"groq": "/openai/v1/models", "gemini": "/v1beta/openai/models"}
    with TapeServer([one], speed=0) as tape:
        for provider in PROVIDERS:
            path = paths.get(provider, "/v1/models")
            reply, _ = ask(tape.base_url(provider), one, path)

            assert reply.status_code == 200


def test_it_takes_a_file_a_folder_or_several(cassette, tmp_path):
    """And interactions that were read already."""
    path = cassette(ONE)
    for given in (path, str(path), tmp_path, [path, path], read_cassette(path)):
        with TapeServer(given, speed=0) as tape:
            url = f"{tape.base_url('openai')}/v1/models"

            assert httpx.get(url, trust_env=False).json() == {}


def test_a_missing_cassette_starts_nothing(tmp_path):
    """The error comes before a port is opened."""
    threads = threading.active_count()

    with pytest.raises(CassetteError, match="no cassette"):
        TapeServer(tmp_path / "none.yaml")

    assert threading.active_count() == threads


def test_it_stops_while_it_plays(interaction):
    """A client that waits for a long stream does not hold it up."""
    slow = interaction(chunks=(Chunk(0, b"a"), Chunk(60_000, b"b")))
    began_s = time.monotonic()
    with TapeServer([slow]) as tape, httpx.Client(trust_env=False) as client:
        url = f"{tape.base_url('openai')}/v1/chat/completions"
        sent = client.build_request("POST", url, content=b'{"model":"m"}')
        reply = client.send(sent, stream=True)
        assert reply.status_code == 200
        reply.close()

    assert time.monotonic() - began_s < 20

"""Real recordings of five providers, served from a bare socket, through the proxy."""

import csv
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from lectr_lab.tape.cassette import Interaction, read_cassette

SHARED = Path(__file__).parents[2].parent / "shared" / "cassettes"
INDEX = SHARED / "INDEX.tsv"


def standard_form() -> list[str]:
    """The recordings in vcrpy's standard form; the others are not byte-true."""
    if not INDEX.is_file():
        return []
    with INDEX.open(encoding="utf-8") as file:
        paths = [row["path"] for row in csv.DictReader(file, delimiter="\t")]
    return [path for path in paths if not path.startswith("parsed_body/")]


def as_sent(one: Interaction) -> bytes:
    """The recorded reply as bytes on a socket."""
    head = b"".join(b"%s: %s\r\n" % header for header in one.response_headers)
    framed = any(name.lower() == b"content-length" for name, _ in one.response_headers)
    if not framed:
        head += b"content-length: %d\r\n" % len(one.body)
    return b"HTTP/1.1 %d X\r\nconnection: close\r\n%s\r\n%s" % (
        one.status,
        head,
        one.body,
    )


def path_for(one: Interaction) -> str:
    """The proxy's path for a recorded one; it has no route for native Gemini."""
    path = urlsplit(one.uri).path
    for operation in (
        "chat/completions",
        "completions",
        "embeddings",
        "responses",
        "messages",
    ):
        if path.endswith(f"/{operation}"):
            return f"/v1/{operation}"
    return "/v1/chat/completions"


def multiset(headers) -> Counter:
    """Names in lower case; framing is each hop's own."""
    pairs = ((name.lower(), value) for name, value in headers)
    return Counter(p for p in pairs if p[0] != b"content-length")


def test_the_recordings_are_there(shared):
    """Seventy-nine of them, or this file tests nothing."""
    assert len(standard_form()) == 79


@pytest.mark.parametrize("name", standard_form())
def test_a_recording_passes_unchanged(shared, standing, name):
    """Status, body bytes and header multiset are the recording's."""
    provider, proxy = standing
    for one in read_cassette(SHARED / name):
        if one.provider is None:
            continue  # someone else's host, recorded along with it
        provider.reply(as_sent(one))
        named = {"X-Lectr-Provider": one.provider} | proxy.keys()

        with httpx.stream(
            "POST",
            f"{proxy.url}{path_for(one)}",
            content=one.request_body,
            headers=named,
            trust_env=False,
        ) as reply:
            body = b"".join(reply.iter_raw())

        assert reply.status_code == one.status
        assert body == one.body
        assert multiset(reply.headers.raw) == multiset(one.response_headers)

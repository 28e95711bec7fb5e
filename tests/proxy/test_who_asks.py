"""Who asks, and in which run: through the real proxy, into the log and nowhere else."""

import gzip
import json
import re
from pathlib import Path

import httpx
import msgspec
import polars as pl
import pytest
from proxy.test_canary import (
    LECTR_KEY,
    MARK,
    PROVIDER_KEY,
    REPLY,
    found,
    proxy_at,
    raw,
    send,
    settings_for,
)

from lectr_lab.core.llm_api.lenient_json import QUICK_BYTES
from lectr_lab.launch import Session, build
from lectr_lab.log.folder import LabFolder
from lectr_lab.proxy.server.run import in_thread

KEYS = {"X-Lectr-Key": LECTR_KEY, "Authorization": f"Bearer {PROVIDER_KEY}"}
CHAT = "/v1/chat/completions"
PERSON = f"{MARK}.alice@example.test"
WORKSPACE = f"/home/{MARK}/work"
COMMIT = f"{MARK}31268b710c2bd4aac25e62207481792793e0cdef"
CODEX = {
    "User-Agent": f"codex_exec/0.171.0 ({MARK}; x86_64) {MARK}",
    "session-id": "01a228f2-4e7e-7b60-b644-79b532d99133",
    "thread-id": "01a228f2-4e7e-7b60-b644-79b532d99133",
    "originator": MARK,
    "x-codex-turn-metadata": json.dumps(
        {
            "installation_id": MARK,
            "request_kind": "turn",
            "workspaces": {WORKSPACE: {"latest_git_commit_hash": COMMIT}},
        }
    ),
}
CLAUDE_USER = {"device_id": MARK * 6, "account_uuid": PERSON, "session_id": PERSON}
BODIES = [
    {"user": PERSON},
    {"safety_identifier": PERSON},
    {"metadata": {"user_id": PERSON, "email": PERSON, "session_id": PERSON}},
    {"metadata": {"user_id": json.dumps(CLAUDE_USER)}},
    {"metadata": {"user_id": f"user_{MARK}_account_{PERSON}_session_{PERSON}"}},
    {"client_metadata": {"session_id": PERSON, "workspace": WORKSPACE}},
    {"conversation": PERSON},
    {"user": {"name": PERSON}},
    {"user": [PERSON] * 10_000},
]
IDS = {
    "x-session-id": PERSON,
    "x-session-affinity": WORKSPACE,
    "x-parent-session-id": PERSON,
    "x-claude-code-agent-id": PERSON,
    "traceparent": f"00-{MARK}-b7ad6b7169203331-01",
    "x-title": PERSON,
    "baggage": f"user={PERSON}",
}


@pytest.mark.parametrize("level", ["DEBUG", "ERROR"])
def test_what_is_personal_is_written_nowhere(provider, tmp_path, level):
    """Users, e-mail addresses, workspaces and commits, wherever they are sent: the log
    has hashes, and no other place has anything."""
    lab = tmp_path / "lab"
    settings = settings_for(provider.url, lab)
    provider.reply(raw(200, REPLY))
    with (
        proxy_at(level, settings, tmp_path, LECTR_HASH_KEY=f"{MARK}-hash-key") as url,
        httpx.Client(base_url=url, headers=KEYS, timeout=30) as client,
    ):
        for body in BODIES:
            for path in (CHAT, "/v1/responses", "/v1/messages"):
                send(client, "POST", path, IDS, json={"model": "gpt-4o"} | body)
        for headers in (CODEX, CODEX | IDS):
            send(client, "POST", "/v1/responses", headers, json={"model": "gpt-4o"})
            send(client, "POST", "/v1/responses", headers, content=b"{" + b"x" * 300)
            send(client, "GET", "/v1/x", headers | {"Upgrade": "websocket"})
        health = client.get("/health").text
        in_journal = found(lab)

    log = pl.read_parquet(lab / "log/**/*.parquet")
    hashed = [text for text in log["user"].drop_nulls() if text]
    assert len(hashed) >= 15
    assert all(re.fullmatch("[0-9a-f]{32}", text) for text in hashed)
    assert set(log["client"]) == {"codex", "httpx"}
    assert CODEX["session-id"] in log["session"].to_list()
    assert MARK not in health
    assert in_journal == []
    assert found(tmp_path) == []


def passed(provider, tmp_path: Path, *asked: dict) -> list[dict]:
    """The log's rows of calls that are described by their headers, path and body."""
    lab = LabFolder.create(tmp_path / "lab")
    session = Session(LECTR_KEY, "acme")
    settings = settings_for(provider.url, lab.root)
    settings = msgspec.structs.replace(settings, max_body_bytes=2_000_000)
    with (
        in_thread(build(settings, session)) as url,
        httpx.Client(base_url=url, headers=KEYS, timeout=30) as client,
    ):
        for call in asked:
            send(
                client,
                call.get("method", "POST"),
                call.get("path", CHAT),
                call.get("headers", {}),
                content=call.get("body", b'{"model": "gpt-4o"}'),
            )
    log = pl.read_parquet(lab.log / "**/*.parquet").sort("event_id")
    return log.to_dicts()


def test_the_operators_words_stay_here(provider, tmp_path):
    """X-Lectr-Session and X-Lectr-User are in the log, and reach no provider."""
    named = {"X-Lectr-Session": "nightly Ä", "X-Lectr-User": "alice"}
    encoded = {name: value.encode() for name, value in named.items()}

    [row] = passed(provider, tmp_path, {"headers": encoded})

    assert (row["session"], row["user"]) == ("nightly Ä", "alice")
    [asked] = provider.received
    assert not [name for name, _ in asked.headers if name.startswith("x-lectr")]
    assert b"alice" not in asked.head


def test_a_programs_own_headers_reach_its_provider(provider, tmp_path):
    """They are read on the way, and not touched."""
    [row] = passed(provider, tmp_path, {"headers": CODEX, "path": "/v1/responses"})

    assert (row["client"], row["turn_kind"]) == ("codex", "main")
    [asked] = provider.received
    sent = dict(asked.headers)
    assert {n: sent[n.lower()] for n in CODEX} == CODEX


def test_a_user_is_the_same_in_every_body(provider, tmp_path):
    """Small, compressed, or so large that another process reads it; another user is
    another."""
    small = b'{"model": "m", "user": "u1"}'
    large = b'{"model": "m", "x": "%s", "user": "u1"}' % (b"y" * 2 * QUICK_BYTES)
    packed = {"Content-Encoding": "gzip"}
    calls = [
        {"body": small},
        {"body": large},
        {"body": gzip.compress(small), "headers": packed},
        {"body": small.replace(b"u1", b"u2")},
    ]

    rows = passed(provider, tmp_path, *calls)

    *same, other = [row["user"] for row in rows]
    assert len(set(same)) == 1
    assert other not in (None, *same)


def test_what_is_refused_says_who_asked_too(provider, tmp_path):
    """A websocket's offer carries the session in its headers."""
    offer = CODEX | {"Upgrade": "websocket"}

    [row] = passed(
        provider, tmp_path, {"method": "GET", "path": "/v1/responses", "headers": offer}
    )

    assert (row["status"], row["session"]) == (426, CODEX["session-id"])
    assert row["turn_kind"] is None


def test_without_a_secret_requests_pass(provider, tmp_path, capfd):
    """The file is none: that is said, there and in /health, and users stay unknown."""
    lab = LabFolder.create(tmp_path / "lab")
    (lab.state / "hash_key").write_text("?")
    app = build(settings_for(provider.url, lab.root), Session(LECTR_KEY, "acme"))
    with in_thread(app) as url:
        [warning] = httpx.get(f"{url}/health").json()["warnings"]

    [row] = passed(provider, tmp_path, {"body": b'{"model": "m", "user": "u1"}'})

    assert (row["user"], row["status"]) == (None, 200)
    assert warning.startswith("state/hash_key is no secret any more.")
    assert warning in capfd.readouterr().err

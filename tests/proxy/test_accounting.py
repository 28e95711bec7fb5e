"""Usage, model, finish reason and error of recorded replies are on their events."""

import csv
import time
from pathlib import Path
from urllib.parse import urlsplit

import polars as pl
import pytest

from lectr_lab.core.llm_api.reply import ReplyFacts, ReplyReader
from lectr_lab.core.routing.paths import operation
from lectr_lab.log.scan import scan
from lectr_lab.tape.cassette import Interaction, read_cassette

SHARED = Path(__file__).parents[2].parent / "shared" / "cassettes"
OPERATIONS = ("chat/completions", "completions", "embeddings", "responses", "messages")
FACTS = [name for name in ReplyFacts.__struct_fields__ if name != "error_in_stream"]

COUNTED = ("input_tokens", "output_tokens", "token_source")


def path_for(one: Interaction) -> str:
    """The proxy's path for a recorded one; it has no route for native Gemini."""
    path = urlsplit(one.uri).path
    ends = (o for o in OPERATIONS if path.endswith(f"/{o}"))
    return f"/v1/{next(ends, 'chat/completions')}"


def facts_of(one: Interaction) -> ReplyFacts:
    """What the reader makes of the whole reply; tests/core hold it to the recording."""
    headers = {n.lower(): v.decode("latin-1") for n, v in one.response_headers}
    kind, coding = (
        headers.get(b"content-type", ""),
        headers.get(b"content-encoding", ""),
    )
    reader = ReplyReader(operation(path_for(one).encode()), one.status, kind, coding)
    reader.feed(one.body)
    return reader.finish()


@pytest.fixture(scope="module")
def recorded(shared) -> dict[str, tuple[Interaction, bool]]:
    """Replies by name, and whether the index says that usage is in all of its file."""
    with (SHARED / "INDEX.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    raw = [row for row in rows if not row["path"].startswith("parsed_body/")]
    return {
        f"{row['path']}#{one.number}": (one, row["has_usage"] == "y")
        for row in raw
        for one in read_cassette(SHARED / row["path"])
        if one.provider is not None
    }


@pytest.fixture(scope="module")
def events(standing, recorded) -> dict[str, dict]:
    """Every recording, once through the proxy: its event by the recording's name."""
    provider, proxy = standing
    with proxy.client() as client:
        for number, (one, _) in enumerate(recorded.values()):
            head = b"".join(b"%s: %s\r\n" % h for h in one.response_headers)
            status = b"HTTP/1.1 %d X\r\nconnection: close\r\n" % one.status
            provider.reply(status + head + b"\r\n" + one.body)
            tags = {"X-Lectr-Feature": f"r{number}", "X-Lectr-Provider": one.provider}
            with client.stream(
                "POST", path_for(one), content=one.request_body, headers=tags
            ) as reply:
                assert reply.status_code == one.status
                assert b"".join(reply.iter_raw()) == one.body
    deadline = time.monotonic() + 5
    while True:
        log = scan(proxy.lab).filter(pl.col("feature").is_not_null()).collect()
        if log.height >= len(recorded) or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    by_feature = {row["feature"]: row for row in log.to_dicts()}
    return {name: by_feature[f"r{n}"] for n, name in enumerate(recorded)}


def test_what_a_reply_says_is_on_its_event(events, recorded):
    """Every fact of every recorded reply, on both engines."""
    for name, (one, _) in recorded.items():
        facts = facts_of(one)
        event = events[name]
        counted = event["token_source"] == "tokenizer"  # only where nobody else did
        assert not counted or facts.token_source == "absent", name
        for fact in FACTS:
            if counted and fact in COUNTED:
                assert event[fact] is not None, name
            elif fact == "error_type" and one.status >= 400:
                assert event[fact] == (facts.error_type or str(one.status)), name
            else:
                assert event[fact] == getattr(facts, fact), (name, fact)
        assert event["response_bytes"] == len(one.body)
        assert event["status"] == one.status


def test_recordings_with_usage_are_counted_by_the_provider(events, recorded):
    """Model, end and tokens of every good reply whose file has usage throughout."""
    counted = 0
    for name, (one, has_usage) in recorded.items():
        if not has_usage or one.status >= 400:
            continue
        event = events[name]
        counted += 1
        assert event["outcome"] == "ok", name
        assert event["token_source"] == "provider", name
        assert event["input_tokens"] > 0, name
        assert event["model_actual"], name
        if event["operation"] != "embeddings":
            assert event["output_tokens"] is not None, name
            # One recorded stream (OpenRouter's) never says why it ends.
            assert event["finish_reason"] or "variant_a" in name, name
    assert counted > 50


def test_errors_are_the_providers(events, recorded):
    """Every recorded 4xx: its status, its class, whose it was."""
    failed = {n: e for n, e in events.items() if recorded[n][0].status >= 400}
    assert len(failed) > 15
    for name, event in failed.items():
        assert event["outcome"] == "provider_error", name
        assert event["error_source"] == "provider", name
        assert event["error_type"], name
        assert event["token_source"] == "absent", name


def test_a_stream_without_usage_is_absent_and_measured(events, recorded):
    """Not zero; its length is what an estimate rests on."""
    streams = [
        e
        for n, e in events.items()
        if e["stream"]
        and e["outcome"] == "ok"
        and e["token_source"] == "absent"
        and recorded[n][0].body
    ]
    assert streams
    for event in streams:
        assert event["input_tokens"] is None
        assert event["output_tokens"] is None
        assert event["output_chars"] is not None

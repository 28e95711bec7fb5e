"""Cassettes behind a proxy in this process: played, written, and added to."""

import json

import openai
import pytest

from lectr_lab.config.settings import Settings
from lectr_lab.core.errors import CassetteError, ConfigError
from lectr_lab.launch import Session, build
from lectr_lab.proxy.server.run import in_thread
from lectr_lab.resources import shipped_cassettes
from lectr_lab.tape.cassette import read_cassette, read_cassettes
from lectr_lab.tape.clock import PlayedClock
from lectr_lab.tape.engine import TapeEngine, played_by
from lectr_lab.tape.match import Tape
from lectr_lab.testing.replay import record, replay

SHIPPED = shipped_cassettes() / "llama"
ONE = read_cassette(SHIPPED / "gemma-3-270m-q4_k_m.yaml")[0]
KEY = "lc_key_of-a-test"


def ask(client, one):
    """Send what was recorded."""
    path = "/" + one.uri.split("/v1/", 1)[1]
    try:
        client.post(path, body=json.loads(one.request_body), cast_to=object)
    except openai.APIStatusError as error:
        return error.status_code
    return 200


def test_a_recording_replays(origin, tmp_path, monkeypatch):
    """What was recorded from a server is what its cassette answers, at its times.

    Neither is in one's own log.
    """
    own = tmp_path / "lab"
    monkeypatch.setenv("LECTR_LAB", str(own))
    path = tmp_path / "new" / "chat.yaml"
    origin.play(ONE)
    with record(path, upstream=f"{origin.url}/v1") as proxy:
        ask(proxy.openai(feature="chat"), ONE)
        [seen] = proxy.events().iter_rows(named=True)
    assert proxy.saved is not None
    assert proxy.saved.written == 1

    with replay(path) as again:
        ask(again.openai(feature="chat"), ONE)
        [event] = again.events().iter_rows(named=True)

    [got] = read_cassette(path)
    assert got.body == ONE.body
    assert not own.exists()
    assert got.timing.feature == "chat"
    assert event["output_tokens"] == seen["output_tokens"] > 0
    assert 0 < event["total_ms"] == got.chunks[-1].at_ms <= seen["total_ms"]


def test_new_episodes_are_added_to_the_old(origin, tmp_path):
    """What is there is played and kept as it was; only the rest is asked."""
    path = tmp_path / "chat.yaml"
    old, new = read_cassettes(SHIPPED / "gemma-3-270m-q4_k_m.yaml")[:2]
    upstream = f"{origin.url}/v1"
    origin.play(old)
    with record(path, upstream=upstream) as proxy:
        ask(proxy.openai(), old)
    first = read_cassette(path)
    origin.play(new)
    with replay(path, "new_episodes", upstream=upstream) as proxy:
        asked = [ask(proxy.openai(), one) for one in (old, new)]

    both = read_cassette(path)
    assert asked == [200, 200]
    assert [one.body for one in both] == [old.body, new.body]
    assert (both[0].chunks, both[0].timing) == (first[0].chunks, first[0].timing)


def test_nothing_asked_is_nothing_written(tmp_path):
    """An old cassette survives a run that did not get that far."""
    path = tmp_path / "chat.yaml"
    path.write_text("mine")

    with record(path, upstream="http://127.0.0.1:1/v1") as proxy:
        pass

    assert proxy.saved is None
    assert path.read_text() == "mine"


def test_what_a_pattern_names_is_not_written(origin, tmp_path):
    """A user's own secrets."""
    path = tmp_path / "chat.yaml"
    word = json.loads(ONE.request_body)["messages"][-1]["content"].split()[-1]
    origin.play(ONE)
    with record(path, upstream=f"{origin.url}/v1", scrub=[word]) as proxy:
        ask(proxy.openai(), ONE)

    assert word not in path.read_text()
    assert "[redacted]" in path.read_text()


def test_matching_can_be_looser():
    """Fields can be left out of account, or everything but the order."""
    body = json.loads(ONE.request_body) | {"temperature": 1.5, "user": "me"}
    other = {"body": body, "cast_to": object}
    cassette = SHIPPED / "gemma-3-270m-q4_k_m.yaml"
    with replay(cassette) as exact, pytest.raises(openai.InternalServerError):
        exact.openai(max_retries=0).post("/chat/completions", **other)
    with replay(cassette, ignore=["temperature", "user"]) as loose:
        loose.openai(max_retries=0).post("/chat/completions", **other)
    with replay(cassette, in_order=True) as ordered:
        got = ordered.openai(max_retries=0).post("/chat/completions", **other)

    assert got == json.loads(ONE.body)


def test_mistakes_are_told_before_anything_runs(tmp_path, monkeypatch):
    """No cassette; a tape as the source of a recording."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CassetteError, match="no cassette at"), replay("none.yaml"):
        pass
    with (
        pytest.raises(ConfigError, match="A tape cannot be recorded"),
        record("a.yaml", upstream="tape:b.yaml"),
    ):
        pass


def test_a_cassette_replayed_twice_gives_the_same_log(tmp_path):
    """Sealed, byte for byte: ids, times of day and durations are the clock's."""
    recorded = read_cassettes(SHIPPED)[:40]
    parts = [logged(recorded, tmp_path / name) for name in ("one", "other")]

    assert parts[0] == parts[1]
    assert len(parts[0]) == 1
    assert len(parts[0][0]) > 5_000


def logged(recorded, lab):
    """The Parquet parts that a proxy leaves of these requests."""
    clock, tape = PlayedClock(), Tape(recorded)
    settings, engine = played_by(Settings(lab=str(lab))), TapeEngine(tape, 0, clock)
    app = build(settings, Session(KEY), clock=clock, engine=engine)
    with in_thread(app) as url:
        headers = {"X-Lectr-Key": KEY}
        with openai.OpenAI(
            base_url=f"{url}/v1", api_key="x", default_headers=headers, max_retries=0
        ) as client:
            for one in recorded:
                ask(client, one)
    return [part.read_bytes() for part in sorted((lab / "log").rglob("*.parquet"))]

"""What became of a prompt's prefix is told by its event, and costs nothing but that."""

import gzip
import json
import time

import pytest
from prefix_bodies import body

from lectr_lab.proxy.observers import prefix_watch
from lectr_lab.proxy.observers.prefix_watch import PrefixWatch

TALK = ("Read the file", "I did", "Now write it", "Done", "Thanks")
OK = b'{"id": "c", "model": "gpt-5.4", "choices": []}'
PATHS = {
    "chat": "/v1/chat/completions",
    "messages": "/v1/messages",
    "responses": "/v1/responses",
    "generate_content": "/v1beta/models/gemini-3.8-flash:generateContent",
}


def reply(data: bytes, status: bytes = b"200 OK", kind: bytes = b"application/json"):
    head = b"HTTP/1.1 %s\r\ncontent-type: %s\r\nconnection: close\r\n" % (status, kind)
    return head + b"content-length: %d\r\n\r\n" % len(data) + data


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A busy machine is slow to start a process, or to run a thread."""
    for name in ("WITHIN_S", "WITHIN_LARGE_S", "_JOB_S"):
        monkeypatch.setattr(prefix_watch, name, 20.0)
    monkeypatch.setattr(
        prefix_watch, "AT_ONCE_BYTES", 0
    )  # all that is not large: a thread


@pytest.fixture
def ask(provider, proxy):
    """Asks one after another, each once the one before is in the log."""
    provider.reply(reply(OK))

    def asked(api: str, data: bytes, session: str | None = "s", **headers: str) -> dict:
        sent = dict(headers) | ({"X-Lectr-Session": session} if session else {})
        with proxy.client(**sent) as client:
            asked.count += 1
            client.post(PATHS[api], content=data).raise_for_status()
        return proxy.events(asked.count)[-1]

    asked.count = 0
    return asked


def told(event: dict) -> tuple:
    return event["prefix_break"], event["prefix_chars"], event["prefix_kept_chars"]


@pytest.mark.parametrize("api", PATHS)
def test_a_session_is_followed_from_turn_to_turn(ask, api):
    """First, then all of it kept, then from the edit on; and how long it lay."""
    first = ask(api, body(api, *TALK[:1]))
    goes_on = ask(api, body(api, *TALK[:3]))
    edited = ask(api, body(api, TALK[0], "I did so", *TALK[2:]))

    assert (first["prefix_break"], first["prefix_kept_chars"]) == ("first", 0)
    assert first["idle_s"] is None
    cause, prefix_chars, kept_chars = told(goes_on)
    assert cause == "none"
    assert 0 < prefix_chars == kept_chars < goes_on["prompt_chars"]
    lay_s = (goes_on["started_at"] - first["started_at"]).total_seconds()
    assert goes_on["idle_s"] == pytest.approx(lay_s, abs=0.01)
    cause, prefix_chars, kept_chars = told(edited)
    assert cause == "history"
    assert 0 < kept_chars < prefix_chars < edited["prompt_chars"]


def test_small_prompts_are_compared_at_once(ask, monkeypatch):
    """And so told as soon as the others: no event waits, and no thread is asked."""
    monkeypatch.setattr(prefix_watch, "AT_ONCE_BYTES", 8192)
    monkeypatch.setattr(prefix_watch, "WITHIN_S", 0.0)

    assert ask("chat", body("chat", *TALK[:1]))["prefix_break"] == "first"
    assert ask("chat", body("chat", *TALK[:3]))["prefix_break"] == "none"


def test_what_changed_is_named(ask):
    """Tools, the system prompt, the model, a parameter of the vendor's."""
    asked = {"x-api-key": "sk-ant-api03-x"}
    changes = [
        ("tools", {"tools": ("read",)}),
        ("system", {"system": "Be brief."}),
        ("model", {"model": "claude-haiku-5-5"}),
        ("parameters", {"tool_choice": {"type": "any"}}),
    ]
    for n, (cause, changed) in enumerate(changes):
        session, model = f"s{n}", {"model": "claude-opus-5-5"}
        ask("messages", body("messages", *TALK[:3], **model), session, **asked)
        data = body("messages", *TALK, **model | changed)
        assert ask("messages", data, session, **asked)["prefix_break"] == cause


def test_sessions_and_keys_without_one_are_compared_apart(ask):
    """What another session sent is not this one's, nor another feature's."""
    long = "x" * 2_000 + TALK[0]
    one = body("chat", long)
    on = body("chat", long, *TALK[1:3])

    assert ask("chat", one, "a")["prefix_break"] == "first"
    assert ask("chat", on, "b")["prefix_break"] is None
    assert ask("chat", on, None)["prefix_break"] is None
    assert ask("chat", one, None, X_Lectr_Feature="f")["prefix_break"] == "first"
    assert ask("chat", on, None, X_Lectr_Feature="f")["prefix_break"] == "none"


def test_what_no_cache_could_hold_is_compared_within_a_session_alone(ask):
    """A prompt of fewer bytes than its provider caches tokens; it tells who went on."""
    short = body("chat", *TALK[:1])

    assert ask("chat", short, None)["prefix_break"] is None
    assert ask("chat", short, "a")["prefix_break"] == "first"


def test_what_failed_is_in_no_cache(provider, ask):
    """A refused prompt is not compared, nor compared with."""
    provider.reply(reply(b'{"error": {"type": "overloaded"}}', b"529 Overloaded"))
    with pytest.raises(Exception, match="529"):
        ask("chat", body("chat", *TALK[:3]))
    provider.reply(reply(OK))

    event = ask("chat", body("chat", *TALK))
    assert told(event)[::2] == (None, None)
    assert ask("chat", body("chat", *TALK))["prefix_break"] == "none"


@pytest.mark.parametrize("packed", [True, False], ids=["gzip", "large"])
def test_what_is_large_or_compressed_is_watched(ask, packed):
    """By a process of its own."""
    said = ["word " * 10, "Aye", "So"] if packed else ["word " * 400_000, "Aye", "So"]
    coding = {"Content-Encoding": "gzip"} if packed else {}
    for turns, cause in ((1, "first"), (3, "none")):
        data = body("chat", *said[:turns])
        event = ask("chat", gzip.compress(data) if packed else data, **coding)
        assert event["prefix_break"] == cause
    assert event["prefix_kept_chars"] == event["prefix_chars"] > 0


def test_a_stream_is_compared_while_it_runs(provider, ask):
    """Its event waits for nothing."""
    chunk = b'data: {"choices": [{"index": 0, "delta": {"content": "Hi"}}]}\n\n'
    provider.reply(reply(chunk * 3 + b"data: [DONE]\n\n", kind=b"text/event-stream"))
    data = json.loads(body("chat", *TALK[:1])) | {"stream": True}

    assert ask("chat", json.dumps(data).encode())["prefix_break"] == "first"


def test_an_event_does_not_wait_long(ask, monkeypatch):
    """It passes on without; the next request is compared all the same."""
    compared = PrefixWatch._seen

    def slow(self, watched):
        time.sleep(0.5)
        return compared(self, watched)

    with monkeypatch.context() as patch:
        patch.setattr(prefix_watch, "WITHIN_S", 0.05)
        patch.setattr(PrefixWatch, "_seen", slow)
        assert ask("chat", body("chat", *TALK[:1]))["prefix_break"] is None

    assert ask("chat", body("chat", *TALK[:3]))["prefix_break"] == "none"


def test_a_fault_costs_the_comparison_alone(ask, monkeypatch):
    """The event is there, and the next one is compared."""
    with monkeypatch.context() as patch:
        patch.setattr(PrefixWatch, "_seen", lambda *_: 1 / 0)
        assert ask("chat", body("chat", *TALK[:1]))["prefix_break"] is None

    assert ask("chat", body("chat", *TALK[:1]))["prefix_break"] == "first"


def test_bodies_that_wait_are_bounded(ask, proxy, monkeypatch):
    """What is too much is not watched, and counted."""
    monkeypatch.setattr(prefix_watch, "MOST_WAITING_BYTES", 10)

    assert ask("chat", body("chat", *TALK[:1]))["prefix_break"] is None
    with proxy.client() as client:
        prefixes = client.get("/health").json()["prefixes"]
    assert prefixes["unwatched"] == 1
    assert prefixes["waiting_bytes"] == 0


def test_what_is_no_conversation_is_not_watched(ask):
    """Nothing is known, and nothing is said."""
    event = ask("chat", b"no JSON")

    assert told(event) == (None, None, None)

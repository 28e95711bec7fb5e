"""Recording below the proxy, from a real socket, and playing it again."""

import gzip
import sys
import zlib
from collections import Counter

import httpx
import pytest
import vcr

from lectr_lab.core.engine import Note
from lectr_lab.core.errors import MissingExtra
from lectr_lab.tape.cassette import read_cassette
from lectr_lab.tape.record import Recorder, Saved
from lectr_lab.testing.replay import replay

EVENTS = [b"data: %d\n\n" % n for n in range(3)]
KEY = b"sk-0123456789abcdef"


def zipped(pieces):
    """Each piece compressed and flushed, as a provider streams it."""
    packer = zlib.compressobj(wbits=31)
    flushed = [packer.compress(p) + packer.flush(zlib.Z_SYNC_FLUSH) for p in pieces]
    return [*flushed, packer.flush()]


def chunked(pieces, headers=b""):
    """A chunked answer, a piece every 300 ms."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + headers + b"\r\n"
    framed = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]
    return [(0.0, head), *((0.3, frame) for frame in framed), (0.0, b"0\r\n\r\n")]


def sized(body, headers=b"", status=b"200 OK"):
    """An answer with its length."""
    head = b"HTTP/1.1 %s\r\nContent-Length: %d\r\n" % (status, len(body))
    return [(0.0, head + headers + b"\r\n" + body)]


CASES = {
    "stream": chunked(EVENTS, b"Content-Type: text/event-stream\r\n"),
    "zipped stream": chunked(
        zipped(EVENTS),
        b"Content-Type: text/event-stream\r\nContent-Encoding: gzip\r\n",
    ),
    "zipped": sized(gzip.compress(b'{"a":1}'), b"Content-Encoding: gzip\r\n"),
    "binary": sized(bytes(range(256)), b"Content-Type: audio/mpeg\r\n"),
    "odd text": sized("\ufeff\u0085\u2028\x00\r\n é".encode()),
    "repeats": sized(b"{}", b"Vary: a\r\nvary: b\r\nVary: c\r\nX-Request-Id: d\r\n"),
    "error": sized(b'{"error":{}}', b"Retry-After: 2\r\n", b"429 Too Many Requests"),
    "empty": [(0.0, b"HTTP/1.1 204 No Content\r\nX-Request-Id: 1\r\n\r\n")],
}


def multiset(headers):
    pairs = ((name.lower(), value) for name, value in headers)
    return Counter(pair for pair in pairs if pair[0] != b"transfer-encoding")


@pytest.mark.parametrize("case", CASES)
def test_what_is_recorded_replays(origin, send, ask, tmp_path, case):
    """Status, headers and every byte, through the proxy and through stock vcrpy."""
    origin.pieces = CASES[case]
    path = tmp_path / "tape.yaml"
    recorder = Recorder(path)
    received = b"".join(send(recorder))

    saved = recorder.save()

    [one] = read_cassette(path)
    assert saved == Saved(written=1, withheld=0, unfinished=0, reasons={})
    assert one.body == received
    with replay(path) as proxy:
        reply, chunks = ask(proxy, one)
    assert b"".join(chunks) == received
    assert multiset(reply.headers.raw) == multiset(one.response_headers)
    with (
        vcr.use_cassette(str(path), record_mode="none"),
        httpx.stream("POST", one.uri, content=one.request_body) as reply,
    ):
        assert b"".join(reply.iter_raw()) == received


@pytest.mark.parametrize("case", ["stream", "zipped stream"])
def test_chunks_and_their_times_are_kept(origin, send, tmp_path, case):
    """As they came from the socket, 300 ms apart, and not joined."""
    origin.pieces = CASES[case]
    recorder = Recorder(tmp_path / "tape.yaml")

    received = send(recorder)

    recorder.save()
    [one] = read_cassette(tmp_path / "tape.yaml")
    times_ms = [chunk.at_ms for chunk in one.chunks]
    assert [chunk.data for chunk in one.chunks] == received
    assert len(received) >= len(EVENTS)
    assert 0 < one.head_ms <= times_ms[0]
    assert times_ms[2] - times_ms[0] >= 300  # of 600: the first may be read late


def test_the_side_file_ties_a_call_to_its_event(origin, send, tmp_path):
    """Event id, org, feature, task and provider; a key in a tag is taken out."""
    origin.pieces = CASES["error"]
    recorder = Recorder(tmp_path / "tape.yaml")
    note = Note(event_id=b"\1" * 16, org="o", feature=f"f-{KEY.decode()}", task="t")

    send(recorder, note=note)
    send(recorder)

    recorder.save()
    first, second = (one.timing for one in read_cassette(tmp_path / "tape.yaml"))
    assert (first.event_id, first.org, first.task) == ("01" * 16, "o", "t")
    assert first.feature == "f-[redacted]"
    assert second.event_id is None
    assert second.started_ms > first.started_ms


def test_a_clock_can_be_given(origin, send, tmp_path):
    """So that the times of a recording are known."""
    ticks = iter(range(10))
    origin.pieces = CASES["error"]
    recorder = Recorder(tmp_path / "tape.yaml", now_s=lambda: next(ticks))

    send(recorder)

    recorder.save()
    [one] = read_cassette(tmp_path / "tape.yaml")
    assert (one.head_ms, one.chunks[0].at_ms) == (1000, 2000)


def test_a_client_that_left_is_recorded_so(origin, send, ask, tmp_path):
    """What had come is kept, and the replay stops there too."""
    origin.pieces = CASES["stream"]
    recorder = Recorder(tmp_path / "tape.yaml")

    received = send(recorder, chunks_read=1)

    recorder.save()
    [one] = read_cassette(tmp_path / "tape.yaml")
    assert (one.ended, one.body) == ("client_left", received[0])


def test_a_client_that_leaves_at_the_end_had_it_all(origin, send, tmp_path):
    """SDKs close at `[DONE]`, before the connection says that the body is over."""
    done = b"data: {}\n\ndata: [DONE]\n\n"
    origin.pieces = chunked([done], b"Content-Type: text/event-stream\r\n")
    recorder = Recorder(tmp_path / "tape.yaml")

    send(recorder, chunks_read=1)

    recorder.save()
    [one] = read_cassette(tmp_path / "tape.yaml")
    assert (one.ended, one.body) == ("complete", done)


def test_a_provider_that_broke_off_is_recorded_so(origin, send, ask, tmp_path):
    """The error goes on to the proxy, and the replay breaks off as well."""
    origin.pieces = CASES["stream"][:2]
    recorder = Recorder(tmp_path / "tape.yaml")
    with pytest.raises(Exception, match="broke off"):
        send(recorder)

    recorder.save()

    [one] = read_cassette(tmp_path / "tape.yaml")
    assert (one.ended, one.body) == ("broken", EVENTS[0])
    with (
        replay(tmp_path / "tape.yaml") as proxy,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        ask(proxy, one)


def test_a_call_without_an_answer_is_counted(origin, send, tmp_path):
    """The form has no room for it."""
    origin.pieces = []
    recorder = Recorder(tmp_path / "tape.yaml")
    with pytest.raises(Exception, match="broke off"):
        send(recorder)

    assert recorder.save() == Saved(0, 0, 1, {})
    assert read_cassette(tmp_path / "tape.yaml") == ()


def test_what_cannot_be_scrubbed_is_not_written(origin, send, tmp_path):
    """It is counted, with the kind of reason; the others are written."""
    recorder = Recorder(tmp_path / "tape.yaml")
    origin.pieces = sized(b"\xff\xfe", b"Content-Encoding: unheard-of\r\n")
    send(recorder)
    origin.pieces = CASES["error"]
    send(recorder)

    saved = recorder.save()

    reason = "a compressed body cannot be looked into"
    assert saved == Saved(1, 1, 0, {reason: 1})
    assert [one.status for one in read_cassette(tmp_path / "tape.yaml")] == [429]


def test_a_failure_in_scrubbing_withholds_the_call(origin, send, tmp_path, monkeypatch):
    """Whatever goes wrong there, nothing unscrubbed is written."""
    origin.pieces = CASES["error"]
    recorder = Recorder(tmp_path / "tape.yaml")
    send(recorder)
    monkeypatch.setattr("lectr_lab.tape.record.scrubbed", lambda *_: 1 / 0)

    saved = recorder.save()

    reasons = {"scrubbing failed with ZeroDivisionError": 1}
    assert saved == Saved(0, 1, 0, reasons)
    assert read_cassette(tmp_path / "tape.yaml") == ()


def test_a_recording_plays_for_another_key(origin, send, tmp_path):
    """The key was scrubbed from body and URL; it does not count when asking."""
    origin.pieces = CASES["error"]
    recorder = Recorder(tmp_path / "tape.yaml")
    own = (b"authorization", b"Bearer " + KEY)
    send(recorder, "/v1/models?key=abcdefgh", b'{"k":"%s"}' % KEY, (own,))
    recorder.save()

    with replay(tmp_path / "tape.yaml") as proxy:
        reply = httpx.post(
            f"{proxy.base_url}/models?key=ijklmnop",
            content=b'{"k":"another-key"}',
            headers=proxy.headers() | {"authorization": "Bearer another-key"},
            trust_env=False,
        )

    assert reply.status_code == 429


def test_recording_without_vcrpy_says_so_at_once(tmp_path, monkeypatch):
    """Not when the work is done."""
    for name in ("vcr", "vcr.serialize"):
        monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(MissingExtra, match=r"pip install 'lectr-lab\[lab\]'"):
        Recorder(tmp_path / "tape.yaml")

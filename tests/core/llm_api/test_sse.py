"""Server-sent events, however the bytes are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.llm_api.sse import EventSplitter


def split(*chunks, max_event_bytes=1000):
    """All events of a stream given in these chunks."""
    splitter = EventSplitter(max_event_bytes)
    return [event for chunk in chunks for event in splitter.feed(chunk)] + (
        splitter.flush()
    )


def single_bytes(data):
    """The bytes one by one."""
    return [data[i : i + 1] for i in range(len(data))]


CASES = {
    "one line": (b"data: 1\n\n", [(b"", b"1")]),
    "named": (b"event: error\ndata: 1\n\n", [(b"error", b"1")]),
    "CRLF": (
        b"event: a\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n",
        [(b"a", b"1"), (b"", b"2")],
    ),
    "CR": (b"data: 1\r\rdata: 2\r\r", [(b"", b"1"), (b"", b"2")]),
    "mixed line ends": (b"data: 1\r\n\ndata: 2\n\r\n", [(b"", b"1"), (b"", b"2")]),
    "comments": (b": ping\n\n:\ndata: 1\n: x\n\n", [(b"", b"1")]),
    "several data lines": (b"data: 1\ndata: 2\n\n", [(b"", b"1\n2")]),
    "no space": (b"data:1\n\n", [(b"", b"1")]),
    "two spaces": (b"data:  1\n\n", [(b"", b" 1")]),
    "leading space": (b" data: 1\n\n", [(b"", b"1")]),
    "byte order mark": (b"\xef\xbb\xbfdata: 1\n\n", [(b"", b"1")]),
    "blank lines": (b"\n\n\ndata: 1\n\n\n\n", [(b"", b"1")]),
    "id and retry": (b"id: 7\nretry: 10\ndata: 1\n\n", [(b"", b"1")]),
    "a name alone": (b"event: a\n\ndata: 1\n\n", [(b"", b"1")]),
    "unterminated": (b"data: 1\n\ndata: 2", [(b"", b"1"), (b"", b"2")]),
    "unterminated after a line": (b"data: 1\n", [(b"", b"1")]),
    "unterminated after a CR": (b"data: 1\r", [(b"", b"1")]),
    "empty data": (b"data\n\ndata:\n\n", [(b"", b""), (b"", b"")]),
    "no stream": (b"<html>\n<p>no\n", []),
    "nothing": (b"", []),
}


@pytest.mark.parametrize(("stream", "events"), CASES.values(), ids=CASES)
def test_a_stream_is_split_into_its_events(stream, events):
    """Whole, by lines and by bytes, every form of the standard reads the same."""
    assert split(stream) == events
    assert split(*stream.splitlines(keepends=True)) == events
    assert split(*single_bytes(stream)) == events


lines = st.sampled_from(
    [
        b"data: 1",
        b"data: 2",
        b"data:",
        b"event: e",
        b"event: f",
        b": c",
        b"",
        b" data: x",
        b"data: " + b"y" * 30,
    ]
)
ends = st.sampled_from([b"\n", b"\r\n", b"\r"])
streams = st.lists(st.tuples(lines, ends), max_size=20).map(
    lambda pairs: b"".join(line + end for line, end in pairs)
)


@given(streams | st.binary(max_size=60), st.data())
def test_events_do_not_depend_on_the_cuts(stream, data):
    """However the network cuts, the same events come out, long ones dropped alike."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    chunks = [
        stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)
    ]

    whole = split(stream, max_event_bytes=24)

    assert split(*chunks, max_event_bytes=24) == whole
    assert split(*single_bytes(stream), max_event_bytes=24) == whole


def test_an_event_cut_between_its_lines_keeps_its_name():
    """A chunk that looks like a whole event may be the end of one."""
    assert split(b"event: error\n", b"data: 1\n\n") == [(b"error", b"1")]
    assert split(b"data: 1\n", b"data: 2\n\n") == [(b"", b"1\n2")]
    assert split(b"da", b"data: 1\n\n") == []


@pytest.mark.parametrize("cut", [1, 7, 4096])
def test_a_long_event_is_dropped_and_the_next_one_read(cut):
    """Memory is bounded: what is over the limit is forgotten, not the stream."""
    stream = b"data: 1\n\ndata: " + b"x" * 5000 + b"\ndata: y\n\ndata: 2\n\n"
    splitter = EventSplitter(max_event_bytes=1000)
    events = []
    for start in range(0, len(stream), cut):
        events += splitter.feed(stream[start : start + cut])
        held = len(splitter._line) + sum(map(len, splitter._data))
        assert held <= 1000

    assert events + splitter.flush() == [(b"", b"1"), (b"", b"2")]


def test_many_short_lines_of_one_event_are_bounded_too():
    """An event that never ends is forgotten like a line that never does."""
    splitter = EventSplitter(max_event_bytes=100)

    events = [e for _ in range(1000) for e in splitter.feed(b"data: 12345\n")]

    assert events == []
    assert sum(map(len, splitter._data)) <= 100
    assert splitter.feed(b"\ndata: 1\n\n") == [(b"", b"1")]

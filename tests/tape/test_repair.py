"""Recorded answers, made fit to be sent."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.tape.repair import mended_headers, pieces

SSE = [(b"Content-Type", b"text/event-stream; charset=utf-8")]
ZIPPED = gzip.compress(b"{}", mtime=0)


@pytest.mark.parametrize(
    ("recorded", "body", "mended"),
    [
        (
            [(b"Transfer-Encoding", b"chunked"), (b"Content-Length", b"9")],
            b"hi",
            [],  # it came in chunks
        ),
        ([(b"content-length", b"9")] * 2, b"hi", [(b"content-length", b"2")]),
        ([(b"Content-Encoding", b"gzip")], b"plain", []),
        ([(b"Content-Encoding", b"gzip")], ZIPPED, [(b"Content-Encoding", b"gzip")]),
        ([(b"Content-Encoding", b"gzip")], b"", [(b"Content-Encoding", b"gzip")]),
        ([(b"content-encoding", b"br")], b"plain", []),
        ([(b"content-encoding", b"br")], b"\xff\x8b", [(b"content-encoding", b"br")]),
        ([(b"Connection", b"close, X-Hop"), (b"x-hop", b"1")], b"", []),
        ([(b"Vary", b"a"), (b"vary", b"b")], b"", [(b"Vary", b"a"), (b"vary", b"b")]),
        ([], b"hi", []),
    ],
)
def test_headers_become_true(recorded, body, mended):
    """Framing, length and encoding are this body's; the rest stays as it was."""
    assert mended_headers(recorded, body) == tuple(mended)


def test_an_announced_length_can_be_kept():
    """The answer to a HEAD announces a body that it does not have."""
    recorded = [(b"content-length", b"9")]

    assert mended_headers(recorded, b"", keep_length=True) == tuple(recorded)


@given(st.lists(st.sampled_from([b"data: 1", b"\n", b"\r\n", b": x"])).map(b"".join))
def test_cutting_loses_nothing(body):
    """The pieces put together are the body; each but the last ends with a blank line."""
    cut = pieces(body, SSE)

    assert b"".join(cut) == body
    assert all(piece.endswith((b"\n\n", b"\r\n\r\n")) for piece in cut[:-1])


def test_only_a_plain_event_stream_is_cut():
    """JSON is one piece, and so is a compressed stream; nothing is no piece."""
    body = b"data: 1\n\ndata: 2\n\n"

    assert len(pieces(body, SSE)) == 2
    assert len(pieces(body, [])) == 1
    assert len(pieces(body, [*SSE, (b"content-encoding", b"gzip")])) == 1
    assert pieces(b"", SSE) == []

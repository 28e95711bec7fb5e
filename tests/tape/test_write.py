"""Cassettes, written in vcrpy's form."""

import stat
import tempfile
from pathlib import Path

import httpx
import pytest
import vcr
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.errors import CassetteError
from lectr_lab.tape.cassette import read_cassette
from lectr_lab.tape.scrub import RecordedCall
from lectr_lab.tape.timing_file import Timing, side_path
from lectr_lab.tape.write import write_cassette

_CONTROL = bytes([*range(9), *range(10, 32), 127])
BODIES = st.binary() | st.text().map(str.encode)
# Header values as HTTP has them; one with other control characters is not sent.
VALUES = st.binary().map(lambda b: b.translate(None, _CONTROL).strip())


def call(**fields):
    """A call to the OpenAI API with some of its fields given."""
    return RecordedCall(
        **{
            "method": "POST",
            "url": "https://api.openai.com/v1/chat/completions",
            "request_headers": (),
            "request_body": b"{}",
            "status": 200,
            "response_headers": (),
            "chunks": (),
        }
        | fields
    )


def timing(one):
    return Timing(
        started_ms=0, head_ms=0, chunks=tuple((len(c), 1) for c in one.chunks)
    )


@given(sent=BODIES, received=BODIES, value=VALUES, repeated=st.lists(VALUES))
def test_every_byte_comes_back(sent, received, value, repeated):
    """Bodies and header values of any bytes, repeats in their order."""
    headers = ((b"X-One", value), *((b"X-Many", v) for v in repeated))
    one = call(request_body=sent, response_headers=headers, chunks=(received,))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tape.yaml"
        write_cassette(path, [(one, timing(one))])
        [got] = read_cassette(path)

    assert (got.request_body, got.body) == (sent, received)
    assert sorted(got.response_headers) == sorted(headers)
    assert [v for n, v in got.response_headers if n == b"X-Many"] == repeated


def test_files_are_private_and_replaced_whole(tmp_path):
    """Mode 0600, the folder made, nothing left beside them."""
    path = tmp_path / "deep" / "tape.yaml"
    for count in (2, 1):
        write_cassette(path, [(call(), timing(call()))] * count)

    files = sorted(path.parent.iterdir())
    assert files == [side_path(path), path]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert len(read_cassette(path)) == 1


def test_a_place_that_cannot_be_written_says_so(tmp_path):
    """The file and the reason are named."""
    (tmp_path / "file").touch()

    with pytest.raises(CassetteError, match=r"tape\.yaml cannot be written"):
        write_cassette(tmp_path / "file" / "tape.yaml", [])


def test_stock_vcrpy_plays_it(tmp_path):
    """What was written replays in a client under vcrpy, with no network."""
    one = call(
        status=404,
        response_headers=(
            (b"Content-Type", b"application/json"),
            (b"Transfer-Encoding", b"chunked"),
            (b"Vary", b"a"),
            (b"Vary", b"b"),
        ),
        chunks=(b'{"a":', b"\xff}"),
    )
    write_cassette(tmp_path / "tape.yaml", [(one, timing(one))])

    with vcr.use_cassette(str(tmp_path / "tape.yaml"), record_mode="none") as tape:
        reply = httpx.post(one.url, content=one.request_body)

    assert (reply.status_code, reply.content) == (404, b'{"a":\xff}')
    assert reply.headers.get_list("vary") == ["a", "b"]
    assert tape.all_played


def test_a_body_that_json_cannot_hold_is_not_lost(tmp_path):
    """It stands in a YAML file beside it, and the error names that one."""
    call = RecordedCall(
        method="POST",
        url="http://x/v1/a",
        request_headers=(),
        request_body=b"",
        status=200,
        response_headers=(),
        chunks=(b"\xff\xfe",),
    )
    timing = Timing(started_ms=0.0, head_ms=1.0, chunks=((2, 1.0),))

    with pytest.raises(CassetteError, match=r"written to .*a\.yaml instead"):
        write_cassette(tmp_path / "a.json", [(call, timing)])

    assert read_cassette(tmp_path / "a.yaml")[0].body == b"\xff\xfe"

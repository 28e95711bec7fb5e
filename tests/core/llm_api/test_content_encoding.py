"""A decompressed copy of a body."""

import gzip
import time
import zlib
from functools import partial

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.llm_api import content_encoding
from lectr_lab.core.llm_api.content_encoding import (
    BodyDecoder,
    whole_body,
    whole_body_quickly,
)
from lectr_lab.core.llm_api.lenient_json import Unread


def bare_deflate(data):
    """Deflate without zlib's frame, as some servers send it."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKERS = {
    "": bytes,
    "identity": bytes,
    "gzip": gzip.compress,
    "X-GZIP": gzip.compress,
    "deflate": zlib.compress,
    "deflate ": bare_deflate,
    "br": partial(brotli.compress, quality=1),
    "zstd": zstandard.ZstdCompressor().compress,
}
HARD = ["gzip", "deflate", "br", "zstd"]


@pytest.mark.parametrize("encoding", PACKERS)
@given(body=st.binary(max_size=300), cut=st.integers(1, 50))
def test_a_body_comes_out_as_it_went_in(encoding, body, cut):
    """In every encoding, however it is cut."""
    packed = PACKERS[encoding](body)
    decoder = BodyDecoder(encoding)

    pieces = [decoder.feed(packed[i : i + cut]) for i in range(0, len(packed), cut)]

    assert b"".join(pieces) == body
    assert not decoder.gave_up


@pytest.mark.parametrize("encoding", HARD)
@given(data=st.binary(min_size=1, max_size=200))
def test_corrupt_data_ends_the_reading_quietly(encoding, data):
    """No exception, whatever the bytes are."""
    decoder = BodyDecoder(encoding)

    for start in range(0, len(data), 7):
        decoder.feed(data[start : start + 7])

    if decoder.gave_up:
        assert decoder.feed(data) == b""


@pytest.mark.parametrize("encoding", HARD)
@pytest.mark.parametrize("cut", [1 << 20, 100])
def test_a_bomb_is_left_alone(encoding, cut):
    """A body that grows out of proportion ends the decoding, however it is cut."""
    bomb = PACKERS[encoding](bytes(64 * 1024 * 1024))
    decoder = BodyDecoder(encoding)

    pieces = [
        piece
        for start in range(0, len(bomb), cut)
        for piece in decoder.pieces(bomb[start : start + cut])
    ]

    assert max(map(len, pieces)) <= content_encoding.PIECE_BYTES
    assert sum(map(len, pieces)) <= 5 * 1024 * 1024 + len(bomb) * 200
    assert decoder.gave_up
    assert decoder.feed(bomb) == b""


@pytest.mark.parametrize("encoding", HARD)
def test_a_long_stream_is_no_bomb(encoding):
    """What shrinks to a fiftieth comes out whole, though it is 8 MB."""
    body = b"".join(b'data: {"n": %d}\n\n' % n for n in range(450_000))
    decoder = BodyDecoder(encoding)

    assert decoder.feed(PACKERS[encoding](body)) == body
    assert not decoder.gave_up


def test_members_without_end_are_no_body():
    """1.2 MB in 60,000 empty members: the reading ends at 10,000 of them."""
    decoder = BodyDecoder("gzip")

    assert decoder.feed(gzip.compress(b"") * 60_000) == b""
    assert decoder.gave_up


def test_gzip_members_follow_each_other():
    """Concatenated members are one body; padding behind them is nothing."""
    packed = gzip.compress(b"one ") + gzip.compress(b"two") + bytes(5)

    whole = BodyDecoder("gzip")
    bitten = BodyDecoder("gzip")

    assert whole.feed(packed) == b"one two"
    assert b"".join(bitten.feed(packed[i : i + 1]) for i in range(len(packed))) == (
        b"one two"
    )


def test_a_body_that_only_says_gzip_is_read_as_it_is():
    """46 recordings say gzip over plain text."""
    decoder = BodyDecoder("gzip")

    assert decoder.feed(b'{"a"') + decoder.feed(b": 1}") == b'{"a": 1}'


@pytest.mark.parametrize(
    "encoding", ["compress", "gzip, compress", "compress, gzip", "gzip, br, br, br"]
)
def test_an_unknown_encoding_yields_nothing(encoding):
    """What cannot be read is not guessed."""
    decoder = BodyDecoder(encoding)

    assert decoder.gave_up
    assert decoder.feed(gzip.compress(b"abc")) == b""


stacks = st.lists(st.sampled_from([*PACKERS, "Identity"]), max_size=3)


def packed(body, encodings):
    """A body in several encodings, the first applied first."""
    for encoding in encodings:
        body = PACKERS.get(encoding, bytes)(body)
    return body


@given(body=st.binary(min_size=1, max_size=300), stack=stacks, cut=st.integers(1, 50))
def test_encodings_on_top_of_each_other_are_undone(body, stack, cut):
    """The last first, however it is cut."""
    data, decoder = packed(body, stack), BodyDecoder(" , ".join(stack))

    pieces = [decoder.feed(data[i : i + cut]) for i in range(0, len(data), cut)]

    assert b"".join(pieces) == body
    assert whole_body(data, ",".join(stack)) == body


@pytest.mark.parametrize("inner", HARD)
@pytest.mark.parametrize("outer", HARD)
def test_a_bomb_in_a_bomb_is_left_alone(inner, outer):
    """What is between two encodings counts, too."""
    bomb = packed(bytes(64 * 1024 * 1024), [inner, outer])
    began_s = time.process_time()

    assert whole_body(bomb, f"{inner}, {outer}") is None
    assert time.process_time() - began_s < 5


@pytest.mark.parametrize("encoding", HARD)
def test_a_whole_body_that_is_too_long_is_none(encoding):
    """Or corrupt; one that fits is there."""
    body = bytes(range(256)) * 8
    data = PACKERS[encoding](body)

    assert whole_body(data, encoding, len(body)) == body
    assert whole_body(data, encoding, len(body) - 1) is None
    assert whole_body(b"\xff\x1f" + data, encoding) in (None, b"\xff\x1f" + data)


@pytest.mark.parametrize("encoding", HARD)
@given(body=st.binary(max_size=3000))
def test_read_quickly_it_is_the_same(encoding, body):
    """The law: small ones do not depend on where they are read."""
    data = PACKERS[encoding](body)

    assert whole_body_quickly(data, encoding) == whole_body(data, encoding) == body


def test_what_may_take_long_is_not_read_quickly():
    """What is large, packed or not, or packed twice; what nobody can read is none."""
    small = gzip.compress(b"{}")

    for data, encoding in [
        (gzip.compress(bytes(300_000)), "gzip"),
        (small * 1000, "gzip"),
        (gzip.compress(small), "gzip, gzip"),
    ]:
        with pytest.raises(Unread):
            whole_body_quickly(data, encoding)
    assert whole_body_quickly(small, "compress") is None

"""Uploads, compared by their parts."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.tape.multipart import parts_of

NAME = st.text("abcxyz_", min_size=1, max_size=8)


def written(boundary, *parts):
    """A body of (headers, content)."""
    lines = [b"--%s\r\n%s\r\n\r\n%s\r\n" % (boundary, *part) for part in parts]
    return b"".join(lines) + b"--%s--\r\n" % boundary


@given(
    fields=st.dictionaries(NAME, st.text(max_size=30), max_size=4),
    content=st.binary(max_size=300),
)
def test_two_clients_send_the_same(fields, content):
    """Whatever the parts are, httpx draws other boundaries around equal ones."""
    files = {"file": ("a.mp3", content, "audio/mpeg")}
    one, other = (
        httpx.Request("POST", "http://x", data=fields, files=files).read()
        for _ in range(2)
    )

    assert one != other
    assert parts_of(one) == parts_of(other) is not None


@given(content=st.binary(max_size=300), another=st.binary(max_size=300))
def test_another_content_is_another_upload(content, another):
    """Also where a field is a file's."""
    one, other = (
        parts_of(httpx.Request("POST", "http://x", files={"file": c}).read())
        for c in (content, another)
    )

    assert (one == other) == (content == another)


def test_order_and_drawn_names_do_not_count():
    """SDKs write the same form in their own order; `tempfile` draws a name."""
    model = b'Content-Disposition: form-data; name="model"', b"whisper-1"
    head = b'Content-Disposition: form-data; name="file"; filename="%s"'
    one = written(b"a", model, (head % b"tmpab12cd34.wav", b"x"))
    other = written(b"----b", (head % b"tmpzz_9zz9z.wav", b"x"), model)

    assert parts_of(one) == parts_of(other)
    assert parts_of(one)["file"]["filename"] == "tmp.wav"


def test_every_part_of_a_name_is_kept():
    """In order: the images of an edit."""
    image = b'content-disposition: form-data; name="image[]"'
    body = written(b"a", *((image, b"i%d" % n) for n in range(3)))

    assert parts_of(body) == {"image[]": ["i0", "i1", "i2"]}


def test_related_parts_have_no_name():
    """As Google's uploads are: what it is, then its bytes."""
    body = written(
        b"a",
        (b"Content-Type: application/json; charset=utf-8", b'{"n": 1.0}'),
        (b"Content-Type: audio/wav", b"\xff\x00"),
    )

    about, content = parts_of(body)[""]
    assert about == {"n": 1}
    assert content["content"] == "\xff\x00"


def test_a_large_file_is_known_by_its_hash():
    """And is another where one byte is."""
    head = b'Content-Disposition: form-data; name="f"; filename="a"'
    one, other = (
        parts_of(written(b"a", (head, content)))
        for content in (bytes(1_000_001), bytes(1_000_000) + b"1")
    )

    assert one["f"]["content"]["bytes"] == 1_000_001
    assert one != other


@pytest.mark.parametrize(
    "body", [b"", b"--", b"--a\r\n", b"--a\r\nb", b"- a list", b"--a\nx\n--a--\n"]
)
def test_what_is_no_upload_is_none(body):
    """It is compared as it stands."""
    assert parts_of(body) is None

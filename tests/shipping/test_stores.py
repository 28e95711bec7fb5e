"""An object store by its URL: what it says, and what is said of its errors."""

import socket
import threading
import time

import pytest
from shipped_lab import KEYS

from lectr_lab.core.errors import StoreError
from lectr_lab.shipping.places import place
from lectr_lab.shipping.stores import check, in_words, opened

ONE = f"fresh/date=2026-11-24/{'1' * 32}-0000.parquet"
TWO = f"fresh/date=2026-11-25/{'2' * 32}-0000.parquet"


@pytest.fixture(params=["s3", "file"])
def remote(request, s3, folder_url):
    if request.param == "file":
        return opened(place(folder_url, {}))
    return opened(place(f"s3://lab/stores-{time.time_ns()}", s3))


def test_an_object_is_put_once(remote):
    """The second put changes nothing."""
    assert remote.put_new(ONE, b"first")
    assert not remote.put_new(ONE, b"second")
    assert remote.get(ONE) == b"first"


def test_of_many_who_put_one_wins(remote):
    """As of two compactors."""
    won = []
    putters = [
        threading.Thread(target=lambda n=n: won.append(remote.put_new(ONE, b"%d" % n)))
        for n in range(8)
    ]
    for one in putters:
        one.start()
    for one in putters:
        one.join(60)

    assert sorted(won) == [False] * 7 + [True]


def test_what_is_listed_is_ours_and_sorted(remote):
    """From a path on; what others put there is left out."""
    bad_day = ONE.replace("2026-11-24", "2026-99-99")
    for path in (TWO, ONE, "fresh/notes.txt", bad_day):
        remote.put_new(path, b"12")
    cells = [
        f"cells/days/date=2026-11-24/{'3' * 32}.{'4' * 24}.zip",
        f"cells/months/2026-11/{'5' * 24}.zip",
    ]
    for path in cells:
        remote.put_new(path, b"1")

    assert [one.path for one in remote.listed("fresh/")] == [ONE, TWO]
    later = list(remote.listed("fresh/", "fresh/date=2026-11-25"))
    assert [(one.path, one.size, one.day.day) for one in later] == [(TWO, 2, 25)]
    assert list(remote.listed("days/")) == []
    assert [one.path for one in remote.listed("cells/")] == cells


def test_several_are_read_in_their_order(remote):
    """Also in a notebook, where a loop runs already; and one that is gone is missing."""
    remote.put_new(ONE, b"1")
    remote.put_new(TWO, b"2")

    assert remote.get_all([TWO, ONE, TWO]) == [b"2", b"1", b"2"]
    remote.delete(ONE)
    remote.delete(ONE)
    with pytest.raises(FileNotFoundError):
        remote.get_all([TWO, ONE])
    assert remote.get_some([ONE, TWO]) == [None, b"2"]
    assert remote.get_some([]) == []


def test_a_missing_bucket_is_named(s3):
    """When listing and when putting."""
    where = place("s3://nobodys/p", s3)
    with pytest.raises(StoreError, match=r"nobodys/p: there is no such bucket"):
        check(where)
    with pytest.raises(StoreError, match=r"nobodys/p: there is no such bucket"):
        opened(where).put_new(ONE, b"1")


def test_a_store_that_is_away_is_said_soon():
    """Refused at once, or silent; the patience of one request has an end."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        began = time.monotonic()
        with pytest.raises(StoreError, match="cannot be reached"):
            check(place("s3://b/p", KEYS | {"AWS_ENDPOINT_URL": _at(port)}))
        waited_s = time.monotonic() - began
    with pytest.raises(StoreError, match="cannot be reached"):
        check(place("s3://b/p", KEYS | {"AWS_ENDPOINT_URL": _at(port)}))

    assert waited_s < 30  # 2.7 s on a machine that is not busy


def test_no_key_is_shown():
    """Neither by a place nor by its error."""
    secret = {"AWS_ACCESS_KEY_ID": "AKIAX", "AWS_SECRET_ACCESS_KEY": "hush-hush"}
    where = place("s3://b/p", secret | {"AWS_ENDPOINT_URL": _at(9)})
    with pytest.raises(StoreError) as said:
        check(where)

    assert "hush-hush" not in f"{where!r}{said.value!r}"
    assert "AKIAX" not in f"{where!r}{said.value!r}"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("status code: 301 … <Code>PermanentRedirect</Code>", "another region"),
        ("400 <Code>AuthorizationHeaderMalformed</Code>", "AWS_REGION"),
        (
            "status code: 403 Forbidden: <Code>InvalidAccessKeyId</Code>",
            "refuses these",
        ),
        ("status code: 503 Slow Down", "answers 503"),
        ("<Code>NoSuchBucket</Code>", "no such bucket"),
        ("error sending request", "cannot be reached"),
    ],
)
def test_errors_say_what_to_do(error, words):
    """In a sentence, without the request."""
    assert words in in_words(place("s3://b/p", KEYS), f"GET https://x?key=1 {error}")
    assert "key=1" not in in_words(
        place("s3://b/p", KEYS), f"GET https://x?key=1 {error}"
    )


def _at(port: int) -> str:
    return f"http://127.0.0.1:{port}"

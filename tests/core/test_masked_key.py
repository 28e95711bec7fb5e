"""A key works, and does not show itself."""

import copy
import http.client
import json
import os
import pickle
import subprocess
import sys

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.masked_key import Key, ShyKey, without_keys

REAL = "lc_key_abc-DEF_019"
keys = st.text(alphabet="abcXYZ019_-", min_size=1)


@given(keys, st.text(max_size=5))
def test_a_key_works_and_shows_itself_masked(secret, before):
    """As a whole or inside a header, however it is printed."""
    real = f"{before}lc_key_{secret}"
    key = Key(real)

    assert key == real and key.encode() == real.encode() and hash(key) == hash(real)
    assert str(key) == f"{key}" == "%s" % key == key[:] == real  # noqa: UP031
    assert type(key[:]) is str and str(Key(ShyKey(key))) == real == ShyKey(key)
    assert str(key.encode(), "utf-8") == real and bytes(key.encode()) == real.encode()
    shown = [
        repr(key),
        f"{key!r}",
        repr([key]),
        repr(key.encode()),
        repr([key.encode()]),
    ]
    shown += [repr(key.encode().decode()), str(ShyKey(key)), f"{ShyKey(key)}"]
    shown += [repr(ShyKey(key)), "%s" % ShyKey(key), repr(ShyKey(key).encode())]  # noqa: UP031
    for text in shown:
        assert f"lc_key_{secret}" not in text
        assert "lc_key_" in text


@pytest.mark.parametrize("module", ["httpx", "httpx2"])
def test_headers_of_httpx_show_it_masked_and_send_it_whole(module, origin):
    """Of the request itself, merged into a client's, and of what an exception holds."""
    library = pytest.importorskip(module)
    origin.pieces = [(0.0, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")]
    sent = []
    with library.Client(headers={"X-Lectr-Key": Key(REAL)}) as client:
        request = client.get(origin.url, headers={"X-Other": "1"}).request
        sent += [value for name, value in request.headers.raw if name == b"X-Lectr-Key"]
        with pytest.raises(library.ConnectError) as raised:
            client.get("http://127.0.0.1:1")
    for headers in (request.headers, raised.value.request.headers, client.headers):
        shown = [headers, headers.raw, headers.multi_items(), headers.items()]
        assert REAL not in repr(shown) and "lc_key_" in repr(headers)

    assert sent == [REAL.encode()]


def test_the_bytes_on_the_wire_are_the_key(standing_socket):
    """By way of httpx, of http.client, which is requests' and urllib's, and of libraries
    that write a header with `str`, such as aiohttp."""
    url, received = standing_socket
    headers = {"X-Lectr-Key": Key(REAL)}
    assert "".join(f"{n}: {v!s}" for n, v in headers.items()) == f"X-Lectr-Key: {REAL}"
    httpx.get(url, headers={"X-Lectr-Key": Key(REAL)}, trust_env=False)
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    connection.request("GET", "/", headers={"X-Lectr-Key": Key(REAL)})
    connection.getresponse().read()
    connection.close()

    assert [head.count(f": {REAL}\r\n".encode()) for head in received] == [1, 1]


@pytest.fixture
def standing_socket():
    """A server that keeps what it is sent."""
    import socket
    import threading

    received: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        for _ in range(2):
            sock, _ = listener.accept()
            with sock:
                received.append(sock.recv(65536))
                sock.sendall(b"HTTP/1.1 204 X\r\nconnection: close\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", received
        thread.join(30)


def test_other_programs_get_it_whole(monkeypatch):
    """In a variable of this process or of one that it starts, and in JSON."""
    monkeypatch.setenv("LECTR_KEY", Key(REAL))
    code = "import os; print(os.environ['LECTR_KEY'])"
    for env in (None, {**os.environ, "LECTR_KEY": Key(REAL)}):
        run = [sys.executable, "-c", code]
        assert subprocess.check_output(run, text=True, env=env).strip() == REAL

    assert f"{os.environ['LECTR_KEY']}" == REAL
    assert json.loads(json.dumps(Key(REAL))) == REAL


def test_a_copy_of_a_key_is_masked_too():
    """By `copy` and by `pickle`, whose bytes hold it: they are to work elsewhere."""
    for twin in (copy.deepcopy(Key(REAL)), pickle.loads(pickle.dumps(Key(REAL)))):
        assert twin == REAL and REAL not in repr(twin)


@given(st.text(), keys, st.text(alphabet=" '\"\n,:)\\"))
def test_a_text_loses_every_key_and_nothing_else(before, secret, after):
    """Whatever stands around it."""
    text = f"{before} 'lc_key_{secret}'{after}"

    assert without_keys(text) == f"{without_keys(before)} 'lc_key_…'{after}"

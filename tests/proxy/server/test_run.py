"""Sockets: a taken port, a free one, a clean end."""

import socket
import ssl
import subprocess

import httpx
import pytest
from listening import listener

from lectr_lab.config.settings import Tls
from lectr_lab.core.errors import ConfigError, ProxyError
from lectr_lab.proxy.server.run import in_thread, open_socket


async def hello(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            kind = (await receive())["type"]
            await send({"type": f"{kind}.complete"})
            if kind == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


def test_a_taken_port_is_a_clear_error():
    """Which address, and what to do."""
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(ProxyError, match="--port"),
    ):
        open_socket("127.0.0.1", taken.getsockname()[1])


def test_an_impossible_host_is_a_clear_error():
    """A name that is no address of this machine."""
    with pytest.raises(ProxyError, match=r"Cannot listen on 203\.0\.113\.1"):
        open_socket("203.0.113.1", 0)


def test_a_thread_serves_and_frees_its_port():
    """After the block nothing listens any more."""
    with in_thread(hello) as url:
        assert httpx.get(url).text == "hello"
        inode = listener(url)
        assert inode

    assert listener(url) != inode


@pytest.fixture(scope="module")
def tls(tmp_path_factory) -> Tls:
    """A certificate of this machine's, signed by itself."""
    folder = tmp_path_factory.mktemp("tls")
    made = Tls(str(folder / "cert.pem"), str(folder / "key.pem"))
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    paths = ["-out", made.cert, "-keyout", made.key, "-days", "2"]
    subprocess.run(command.split() + names + paths, check=True, capture_output=True)
    return made


def test_tls_is_served_and_verified(tls):
    """https in the address; who does not trust the certificate does not get in."""
    trusting = ssl.create_default_context(cafile=tls.cert)
    with in_thread(hello, tls=tls) as url:
        assert url.startswith("https://127.0.0.1:")
        assert httpx.get(url, verify=trusting).text == "hello"
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)


@pytest.mark.parametrize("broken", ["missing", "not PEM", "another's key"])
def test_a_certificate_that_cannot_be_used_is_a_clear_error(tls, tmp_path, broken):
    """Which files, and what they must be."""
    other = tmp_path / "other.pem"
    if broken == "not PEM":
        other.write_text("nothing")
    elif broken == "another's key":
        command = ["openssl", "genrsa", "-out", str(other), "2048"]
        subprocess.run(command, check=True, capture_output=True)

    with (
        pytest.raises(ConfigError, match="must be PEM files that belong together"),
        in_thread(hello, tls=Tls(tls.cert, str(other))),
    ):
        pass

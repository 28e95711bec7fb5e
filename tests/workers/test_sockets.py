"""The sockets of a port's places."""

import socket
import sys

import pytest

from lectr_lab.core.errors import ProxyError
from lectr_lab.workers.sockets import places


def test_all_listen_at_one_port_that_is_free_afterwards():
    """Each has its own share of the connections, where the system shares them out."""
    with places("127.0.0.1", 0, 3) as sockets:
        address = sockets[0].getsockname()
        assert {sock.getsockname() for sock in sockets} == {address}
        clients = [socket.create_connection(address, timeout=5) for _ in range(60)]
        taken = set()
        for sock in {sock.fileno(): sock for sock in sockets}.values():
            sock.setblocking(False)
            try:
                while True:
                    accepted, peer = sock.accept()
                    accepted.close()
                    taken.add(peer)
            except BlockingIOError:
                pass
        assert taken == {client.getsockname() for client in clients}
        for client in clients:
            client.close()
    with socket.create_server(address) as free:
        assert free.getsockname() == address


def test_a_port_that_another_proxy_has_is_not_shared_with_it():
    """Each would get a part of the other's requests."""
    with places("127.0.0.1", 0, 2) as sockets:
        port = sockets[0].getsockname()[1]
        with (
            pytest.raises(ProxyError, match=r"Cannot listen .* --port 0"),
            places("127.0.0.1", port, 2),
        ):
            pass


def test_elsewhere_than_on_linux_all_have_the_same(monkeypatch):
    """Whoever is first takes a connection."""
    monkeypatch.setattr(sys, "platform", "darwin")

    with places("127.0.0.1", 0, 3) as sockets:
        assert len({sock.fileno() for sock in sockets}) == 1
        assert len(sockets) == 3

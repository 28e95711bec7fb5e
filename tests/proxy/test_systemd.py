"""Words for systemd."""

import socket

import pytest

from lectr_lab.proxy.systemd import notify, reloading


@pytest.mark.parametrize("abstract", [False, True], ids=["path", "abstract"])
def test_a_state_reaches_who_asked(monkeypatch, tmp_path, abstract):
    """At a path, and at a name of the kernel's."""
    path = f"{tmp_path}/notify"[-90:] if abstract else f"{tmp_path}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(f"\0{path}" if abstract else path)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{path}" if abstract else path)
        told.settimeout(5)
        notify("READY=1")

        assert told.recv(100) == b"READY=1"


@pytest.mark.parametrize("address", ["", "/nowhere/at/all", "vsock:2:1"])
def test_nobody_there_is_no_failure(monkeypatch, address):
    """Nor is an address of a kind that is not ours."""
    monkeypatch.setenv("NOTIFY_SOCKET", address)

    notify("READY=1")


def test_a_reload_says_since_when():
    """As systemd wants it, in microseconds."""
    first, since = reloading().split("\n")

    assert first == "RELOADING=1"
    assert since.startswith("MONOTONIC_USEC=") and since[15:].isdigit()

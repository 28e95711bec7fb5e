"""What all bodies hold together, and what there is to hold them."""

import json
import socket
import subprocess
import sys
import threading

import httpx
import pytest

from lectr_lab.config.limit_settings import LimitSettings
from lectr_lab.proxy.server.bodies import (
    BodiesInFlight,
    Busy,
    Held,
    memory_bytes,
)

GB = 1024**3


def test_what_is_held_is_held_until_the_request_is_over():
    """However it ends, and no more than there is room for."""
    bodies = BodiesInFlight(10)
    with pytest.raises(ZeroDivisionError), Held(bodies) as held:
        held.add(4)
        held.add(6)
        with pytest.raises(Busy):
            held.add(1)
        assert bodies.about()["bodies_in_flight"] == {"bytes": 10, "most_bytes": 10}
        raise ZeroDivisionError

    assert bodies.held_bytes == 0


def test_a_quarter_of_the_memory_is_for_them():
    """Unless it is said how much."""
    assert BodiesInFlight().most_bytes == memory_bytes() // 4


@pytest.mark.parametrize(
    ("groups", "files", "limit"),
    [
        ("0::/a/b\n", {"a/b/memory.max": "1048576\n"}, 1048576),
        ("0::/a/b\n", {"a/memory.max": "2048", "a/b/memory.max": "max"}, 2048),
        ("0::/\n", {"memory.max": "4096"}, 4096),
        ("0::/../..\n", {"memory.max": "4096"}, 4096),
        ("9:cpu,cpuacct:/x\n3:memory:/c\n", {"memory/c/memory.limit_in_bytes": "512"}, 512),
        ("3:memory:/c\n", {"memory/c/memory.limit_in_bytes": "9223372036854771712"}, None),
        ("nonsense\n", {}, None),
        (None, {}, None),
    ],
)  # fmt: skip
def test_a_containers_limit_is_heeded(tmp_path, groups, files, limit):
    """The lowest of the group's own and of those above it; without one, the machine's."""
    if groups is not None:
        (tmp_path / "proc/self").mkdir(parents=True)
        (tmp_path / "proc/self/cgroup").write_text(groups)
    for name, text in files.items():
        file = tmp_path / "sys/fs/cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    assert memory_bytes(tmp_path) == (limit or memory_bytes(tmp_path / "nothing"))


def test_there_is_no_room_for_one_more(provider, start):
    """503 `proxy_busy` while another's is held; then there is room again."""
    proxy = start(provider.url, limits=LimitSettings(bodies_in_flight_bytes=1000))
    came, go_on = threading.Event(), threading.Event()
    usual = provider.answer

    def wait(sock: socket.socket, received) -> None:
        came.set()
        assert go_on.wait(60)
        usual(sock, received)

    provider.answer = wait
    body = json.dumps({"model": "gpt-4o", "pad": "x" * 700})
    url, keys = f"{proxy.url}/v1/chat/completions", proxy.keys()

    def ask() -> httpx.Response:
        return httpx.post(url, content=body, headers=keys, timeout=60)

    first = threading.Thread(target=ask)
    first.start()
    assert came.wait(60)
    held = httpx.get(f"{proxy.url}/health").json()["bodies_in_flight"]
    refused = ask()
    go_on.set()
    first.join()

    assert held == {"bytes": len(body), "most_bytes": 1000}
    assert refused.json()["error"]["code"] == "proxy_busy"
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert ask().status_code == 200
    assert httpx.get(f"{proxy.url}/health").json()["bodies_in_flight"]["bytes"] == 0
    events = {e["error_type"]: e for e in proxy.events(3)}
    busy = events["proxy_busy"]
    assert (busy["outcome"], busy["status"], busy["org"]) == ("refused", 503, "acme")
    assert (busy["error_source"], busy["facts_truncated"]) == ("proxy", None)


_PROGRAM = """
import sys
from lectr_lab.proxy.server.bodies import give_back_large_blocks
if sys.argv[1] == "1":
    give_back_large_blocks()
first = bytes(30_000_000)
del first
held = [bytearray(b"x") * 300_000 for _ in range(400)]
last = held[-1]
del held
print(int(open("/proc/self/statm").read().split()[1]) * 4096)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's malloc, /proc")
def test_memory_of_large_blocks_comes_back():
    """120 MB in blocks of 0.3 MB, all but the last freed."""
    left = [
        int(
            subprocess.run(
                [sys.executable, "-c", _PROGRAM, on], check=True, capture_output=True
            ).stdout
        )
        for on in "01"
    ]

    assert left[0] > 100_000_000
    assert left[1] < 60_000_000

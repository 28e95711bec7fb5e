"""A proxy belongs to its kernel: a real one, restarted, crashed and run again."""

import os
import signal
import sys
import time

import httpx
import pytest
from jupyter_client.manager import KernelManager
from listening import listener

import lectr_lab as lectr

START = (
    "import lectr_lab as lectr; proxy = lectr.start(upstream='http://127.0.0.1:1/v1')"
)
CALL = (
    "import httpx; httpx.post(f'{proxy.base_url}/chat/completions', json={'model': 'm'},"
    " headers=proxy.headers('cell')).status_code"
)
GONE_WITHIN_S = 30


class Notebook:
    """A kernel, and what a user does with it."""

    def __init__(self, folder) -> None:
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(cwd=str(folder))
        self._connect()

    def _connect(self) -> None:
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def run(self, code: str) -> list[dict]:
        """The contents of what a cell sent back, errors raised."""
        seen: list[dict] = []

        def hook(message):
            seen.append({"type": message["msg_type"]} | message["content"])

        reply = self.client.execute_interactive(code, timeout=60, output_hook=hook)
        assert reply["content"]["status"] == "ok", reply["content"]
        return seen

    def value(self, expression: str) -> str:
        """What a cell that ends with this shows, as text."""
        results = [m for m in self.run(expression) if m["type"] == "execute_result"]
        return results[0]["data"]["text/plain"].strip("'\"")

    def restart(self) -> None:
        self.client.stop_channels()
        self.manager.restart_kernel()
        self._connect()

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    for name in [n for n in os.environ if n.startswith("LECTR_")]:
        monkeypatch.delenv(name)
    one = Notebook(tmp_path)
    yield one
    one.close()


def gone(pid: int, base_url: str, socket_inode: int) -> bool:
    """Neither the process nor its socket is left, within some seconds."""
    until_s = time.monotonic() + GONE_WITHIN_S
    while time.monotonic() < until_s:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return listener(base_url) != socket_inode
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("end", ["restart", "crash", "shutdown"])
def test_the_proxy_ends_with_its_kernel_and_the_log_stays(notebook, tmp_path, end):
    """Restarted, killed with -9 or shut down: no orphan, no port, no lost request."""
    notebook.run(START)
    pid, base_url = (
        int(notebook.value("proxy._child.pid")),
        notebook.value("proxy.base_url"),
    )
    assert notebook.value(CALL) == "503"
    inode = listener(base_url)
    assert inode

    if end == "restart":
        notebook.restart()
    elif end == "crash":
        os.kill(notebook.manager.provisioner.pid, signal.SIGKILL)
    else:
        notebook.manager.shutdown_kernel()

    assert gone(pid, base_url, inode)
    [row] = lectr.scan(tmp_path / "lab").select("feature", "status").collect().rows()
    assert row == ("cell", 503)


def test_restart_and_run_all_has_one_proxy_and_one_log(notebook, tmp_path):
    """The new kernel's proxy is there at once; the old one is gone; rows of both stay."""
    notebook.run(START)
    notebook.value(CALL)
    pid, base_url = (
        int(notebook.value("proxy._child.pid")),
        notebook.value("proxy.base_url"),
    )
    inode = listener(base_url)
    assert inode

    notebook.restart()
    notebook.run(START)
    notebook.run(START)  # the same cell again
    assert notebook.value(CALL) == "503"

    assert int(notebook.value("proxy._child.pid")) != pid
    assert gone(pid, base_url, inode)
    notebook.run("proxy.stop()")
    assert lectr.scan(tmp_path / "lab").collect().height == 2


def test_the_handle_follows_the_proxy_without_running_the_cell_again(notebook):
    """Waiting for the first request, then arrived; its output changes in place."""
    notebook.run(START)
    [shown] = [m for m in notebook.run("proxy") if m["type"] == "display_data"]
    assert "waiting for the first request" in shown["data"]["text/html"]
    assert shown["transient"]["display_id"]

    seen = notebook.run(f"{CALL}; import time; time.sleep(2.5)")

    updates = [m for m in seen if m["type"] == "update_display_data"]
    assert updates, "the display was not updated"
    assert "your first request has arrived" in updates[-1]["data"]["text/html"]
    assert updates[-1]["transient"] == shown["transient"]


def test_a_cell_that_computes_does_not_hold_the_proxy(notebook):
    """While the kernel is in a loop of its own, the proxy answers."""
    notebook.run(START)
    base_url = notebook.value("proxy.base_url").removesuffix("/v1")
    notebook.client.execute(
        "until = __import__('time').time() + 3\nwhile __import__('time').time() < until: pass"
    )
    time.sleep(0.3)

    started_s = time.monotonic()
    health = httpx.get(f"{base_url}/health", trust_env=False).json()

    assert health["status"] == "ok"
    assert time.monotonic() - started_s < 2


LISTENERS = """
def listeners(pid):
    import os, pathlib
    held = set()
    for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            held.add(os.readlink(fd))
        except OSError:
            pass
    found = set()
    for kind in ("tcp", "tcp6"):
        for line in open(f"/proc/{pid}/net/{kind}").readlines()[1:]:
            _, local, _, state, *more = line.split()
            if state == "0A" and f"socket:[{more[5]}]" in held:
                found.add(int(local.rsplit(":", 1)[1], 16))
    return found
"""
SHOWN = """
log = proxy.scan()
live = lectr.dashboard(proxy, live=True)
shown = [live, lectr.dashboard(log), proxy, lectr.spend(log, by="feature"), proxy.tail()]
shown += [lectr.spend_bars(lectr.spend(log, by="feature"))]
for one in shown:
    display(one)
live.write("page.html")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_nothing_listens_but_the_proxy(notebook):
    """Live page, widget, charts and handle come and go by the kernel's own channel, whose
    server looks at Origin: no port of ours has to. The proxy has its one."""
    notebook.run(LISTENERS)
    before = notebook.value("sorted(listeners(__import__('os').getpid()))")
    notebook.run(START)

    notebook.run(SHOWN)

    assert before == notebook.value("sorted(listeners(__import__('os').getpid()))")
    assert before != "[]"  # the kernel's own are found, so that others would be
    port = notebook.value("proxy.base_url").removesuffix("/v1").rsplit(":", 1)[1]
    assert notebook.value("listeners(proxy._child.pid)") == f"{{{port}}}"
    notebook.run("live.stop()")

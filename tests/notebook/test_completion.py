"""The Tab key behind `lectr.`, in a real kernel."""

import asyncio
import sys
import time

import pytest
from jupyter_client.manager import KernelManager

from lectr_lab.notebook.completion import load_when_idle

WITHIN_S = 120


def test_without_a_loop_nothing_is_loaded():
    """A program that imports us waits for nothing."""
    load_when_idle({"x": "lectr_lab.no_such_module"})


def test_what_is_not_installed_is_passed_over():
    """It is said when it is used; the others are loaded."""

    async def cell():
        load_when_idle({"y": "colorsys", "x": "lectr_lab.no_such_module"})
        for _ in range(WITHIN_S * 10):
            if "colorsys" in sys.modules:
                return
            await asyncio.sleep(0.1)

    sys.modules.pop("colorsys", None)
    asyncio.run(cell())

    assert "colorsys" in sys.modules


@pytest.mark.slow
def test_the_tab_key_knows_what_each_name_is(tmp_path):
    """A moment after the import no name is `<unknown>`, and functions have signatures."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(tmp_path))
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=WITHIN_S)
        client.execute_interactive("import lectr_lab as lectr", timeout=WITHIN_S)
        until_s = time.monotonic() + WITHIN_S
        while True:
            kinds = completed(client, "lectr.")
            unknown = [name for name, (kind, _) in kinds.items() if kind == "<unknown>"]
            if not unknown or time.monotonic() > until_s:
                break
            time.sleep(0.5)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)

    assert not unknown
    assert kinds["Rule"][0] == "class"
    assert kinds["spend"][0] == "function" and "every" in kinds["spend"][1]


def completed(client, code):
    """Each name that is offered, with its kind and its signature."""
    client.complete(code, len(code))
    while True:
        reply = client.get_shell_msg(timeout=WITHIN_S)
        if reply["msg_type"] == "complete_reply":
            offered = reply["content"]["metadata"]["_jupyter_types_experimental"]
            return {one["text"]: (one["type"], one["signature"]) for one in offered}

"""Does a cell that computes slow the proxy? Rounds of an idle and of a busy kernel.

    python tests/benchmarks/bench_kernel.py [rounds, default 8] [requests, default 150]

A real kernel starts a proxy; this process sends it requests, and answers them as their
provider. The same requests go straight to the provider too: what the proxy adds is the
difference, and a machine that is slower for everybody (a kernel that computes takes one
of its cores) is not put down to the proxy. Idle and busy rounds alternate, in an order
that turns around each time. Medians; the interval is over rounds.
"""

import statistics
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel

ANSWER = b'{"model":"m","usage":{"prompt_tokens":9,"completion_tokens":1}}'
BODY = b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hello"}]}'
WARM_UP = 50
T_95 = {3: 4.30, 4: 3.18, 5: 2.78, 6: 2.57, 7: 2.45, 8: 2.36, 10: 2.26, 12: 2.20}


class Provider(BaseHTTPRequestHandler):
    """Answers at once."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one packet a reply

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class Place:
    """Somewhere to send requests to, over one connection that stays open."""

    def __init__(self, base_url: str, headers: dict[str, str]) -> None:
        self._url = f"{base_url}/chat/completions"
        self._client = httpx.Client(trust_env=False, headers=headers)

    def median_ms(self, requests: int) -> float:
        times = []
        for _ in range(requests):
            began = time.perf_counter()
            self._client.post(self._url, content=BODY).raise_for_status()
            times.append(1e3 * (time.perf_counter() - began))
        return statistics.median(times)


def value(kernel: BlockingKernelClient, expression: str) -> str:
    """What a cell that ends with this shows, as text."""
    shown: list[str] = []

    def hook(message: dict) -> None:
        if message["msg_type"] == "execute_result":
            shown.append(message["content"]["data"]["text/plain"].strip("'"))

    kernel.execute_interactive(expression, output_hook=hook, timeout=60)
    return shown[0]


def added_ms(direct: Place, proxied: Place, requests: int) -> float:
    """What the proxy adds: both in turn, in small pieces, so that drift hits both."""
    pieces = [
        proxied.median_ms(requests // 5) - direct.median_ms(requests // 5)
        for _ in range(5)
    ]
    return statistics.median(pieces)


def busy_ms(
    manager: KernelManager,
    kernel: BlockingKernelClient,
    places: tuple[Place, Place],
    requests: int,
) -> float:
    """The same while a cell counts in pure Python, as hard as it can."""
    kernel.execute("while True: pass")
    time.sleep(0.3)
    found = added_ms(*places, requests)
    manager.interrupt_kernel()
    kernel.wait_for_ready(timeout=60)
    return found


def measured(
    manager: KernelManager, kernel: BlockingKernelClient, upstream: str, n: tuple
) -> list[tuple[float, float]]:
    """(idle, busy) of each round, in milliseconds."""
    rounds, requests = n
    start = f"proxy = lectr.start(upstream='{upstream}')"
    kernel.execute_interactive(f"import lectr_lab as lectr; {start}", timeout=60)
    key = bytes.fromhex(value(kernel, "proxy.key.encode().hex()")).decode()
    proxied = Place(value(kernel, "proxy.base_url"), {"X-Lectr-Key": key})
    places = (Place(upstream, {}), proxied)
    for place in places:
        place.median_ms(WARM_UP)
    found = []
    for i in range(rounds):
        if i % 2:
            busy = busy_ms(manager, kernel, places, requests)
            idle = added_ms(*places, requests)
        else:
            idle = added_ms(*places, requests)
            busy = busy_ms(manager, kernel, places, requests)
        found.append((idle, busy))
    return found


def said(found: list[tuple[float, float]]) -> str:
    idle, busy = ([pair[i] for pair in found] for i in (0, 1))
    more = [b - i for i, b in found]
    mean = statistics.mean(more)
    t = T_95.get(len(found), 2.0 if len(found) > 12 else 12.7)
    half = t * statistics.stdev(more) / len(more) ** 0.5
    return (
        f"the proxy adds, kernel idle  {statistics.median(idle):6.2f} ms\n"
        f"the proxy adds, kernel busy  {statistics.median(busy):6.2f} ms"
        f"  ({statistics.median(busy) / statistics.median(idle):.2f}x)\n"
        f"difference                   {mean:6.2f} ms"
        f"  [{mean - half:.2f}, {mean + half:.2f}], {len(found)} rounds\n"
    )


def main(rounds: int = 8, requests: int = 150) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    upstream = f"http://127.0.0.1:{server.server_port}/v1"
    with tempfile.TemporaryDirectory() as folder:
        manager, kernel = start_new_kernel(cwd=folder)
        try:
            found = measured(manager, kernel, upstream, (rounds, requests))
        finally:
            kernel.execute_interactive("proxy.stop()", timeout=60)
            kernel.stop_channels()
            manager.shutdown_kernel()
    server.shutdown()
    sys.stdout.write(said(found))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

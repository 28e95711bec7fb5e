"""What one hostile request or reply does to all others.

`python tests/benchmarks/bench_hostile.py [--turn S] [--out FILE]`

A small request is sent every 20 ms through the proxy: for a while alone, then while the
hostile one goes through it again and again. Its delay is from sending it to the last
byte of its answer. RSS is of the proxy's own process: before, its peak, and two seconds
after the last one.

Both programs and the provider share the machine: look at a row beside its own baseline.
"""

import argparse
import gzip
import multiprocessing
import os
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import brotli

from lectr_lab.bench.gateways import Gateway, ours
from lectr_lab.bench.measure import quantile
from lectr_lab.bench.process import rss_mb
from lectr_lab.log.scan import scan

MB = 1024 * 1024
PACE_S = 0.02
_MARK = "x-hostile"
_OK = b'{"model":"gpt-4o-mini","choices":[],"usage":{"prompt_tokens":1}}'


class Case(NamedTuple):
    """A request, or a reply where it has one."""

    path: str
    body: bytes
    head: str = ""
    reply: bytes = b""
    at_once: int = 1


def chat(messages: bytes, more: bytes = b"") -> bytes:
    """A body of /v1/chat/completions."""
    return b'{"model":"gpt-4o-mini","messages":[%s]%s}' % (messages, more)


def cases() -> dict[str, Callable[[], Case]]:
    """All of them, each made when it is its turn."""
    ask, hi = "/v1/chat/completions", chat(b'{"role":"user","content":"hi"}')
    text = b'{"role":"user","content":"%s"}'
    properties = b",".join(b'"p%d":{"type":"string"}' % n for n in range(500_000))
    schema = b',"response_format":{"type":"json_schema","json_schema":{"schema":'
    schema += b'{"type":"object","properties":{%s}}}}' % properties
    event = b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n'
    stream = "content-type: text/event-stream\r\n"
    whole = "content-type: application/json\r\n"
    logprobs = b'{"token":"x","logprob":-1.0,"bytes":[1,2,3]},' * 20
    tokens = b",".join([b'{"token":"x","top_logprobs":[%s{}]}' % logprobs] * 7000)
    return {
        "31 MB image": lambda: Case(ask, chat(text % (b"QUJD" * (31 * MB // 4)))),
        "70,000 messages": lambda: Case(ask, chat(b",".join([text % b"hi"] * 70_000))),
        "4 M token numbers": lambda: Case(
            "/v1/embeddings", b'{"model":"e","input":[%s1]}' % (b"1," * 4_000_000)
        ),
        "500,000 properties": lambda: Case(ask, chat(text % b"hi", schema)),
        "1.15 M parts": lambda: Case(
            ask,
            chat(
                b'{"role":"user","content":[%s{}]}'
                % (b'{"type":"text","text":""},' * 1_150_000)
            ),
        ),
        "10 M empty parts": lambda: Case(
            ask, chat(b'{"content":[%s{}]}' % (b"{}," * (31 * MB // 3)))
        ),
        "16 M odd messages": lambda: Case(ask, chat(b"1," * (31 * MB // 2) + b"1")),
        "24 bodies of 31 MB": lambda: Case(
            ask, chat(text % (b"QUJD" * (31 * MB // 4))), at_once=24
        ),
        "reply: 7.2 MB odd choices": lambda: Case(
            ask, hi, whole, b'{"choices":[%s1]}' % (b"1," * 3_600_000)
        ),
        "reply: 7 MB logprobs": lambda: Case(
            ask,
            hi,
            whole,
            b'{"choices":[{"logprobs":{"content":[%s]}}]}' % tokens[: 7 * MB],
        ),
        "reply: 1.5 KB brotli, 200 MB events": lambda: Case(
            ask,
            hi,
            stream + "content-encoding: br\r\n",
            brotli.compress(event * (200 * MB // len(event)), quality=5),
        ),
        "reply: 60,000 gzip members": lambda: Case(
            ask,
            hi,
            stream + "content-encoding: gzip\r\n",
            gzip.compress(b"") * 60_000,
        ),
        "reply: 1 M tiny events": lambda: Case(
            ask, hi, stream, b"data:1\n\n" * 1_000_000
        ),
    }


def provide(listener: socket.socket, replies: dict[str, tuple[str, bytes]]) -> None:
    """Answer each request; one with a mark by the reply of that name."""

    def talk(sock: socket.socket) -> None:
        with sock, sock.makefile("rb") as lines:
            while line := lines.readline():
                length, name = 0, ""
                while line not in (b"\r\n", b""):
                    field, _, value = line.decode("latin-1").partition(":")
                    if field.lower() == "content-length":
                        length = int(value)
                    elif field.lower() == _MARK:
                        name = value.strip()
                    line = lines.readline()
                while length:
                    length -= len(lines.read(min(length, MB)))
                head, body = replies.get(
                    name, ("content-type: application/json\r\n", _OK)
                )
                start = f"HTTP/1.1 200 OK\r\n{head}content-length: {len(body)}\r\n\r\n"
                sock.sendall(start.encode() + body)

    while True:
        sock, _ = listener.accept()
        threading.Thread(target=talk, args=(sock,), daemon=True).start()


def request(way: Gateway, path: str, body: bytes, mark: str = "") -> bytes:
    """The bytes of one."""
    fields = [("host", "127.0.0.1"), ("authorization", "Bearer sk-x"), *way.headers]
    fields += [("content-length", str(len(body))), ("content-type", "application/json")]
    fields += [(_MARK, mark)] if mark else []
    lines = [f"POST {path} HTTP/1.1", *(f"{n}: {v}" for n, v in fields)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def exchanged(sock: socket.socket, data: bytes) -> int:
    """Send a request and read its reply to the end; its status."""
    sock.sendall(data)
    with sock.makefile("rb") as lines:
        status, length, chunked = int(lines.readline().split()[1]), 0, False
        while (line := lines.readline()) not in (b"\r\n", b""):
            field, _, value = line.decode("latin-1").lower().partition(":")
            length = int(value) if field == "content-length" else length
            chunked = chunked or field == "transfer-encoding"
        while length:
            length -= len(lines.read(min(length, MB)))
        while chunked and (size := int(lines.readline(), 16)):
            lines.read(size + 2)
    return status


def probe(
    way: Gateway, seconds: float, results: "multiprocessing.Queue[object]"
) -> None:
    """Small requests at their pace, each in its time; ms of each."""
    data = request(way, "/v1/chat/completions", chat(b'{"role":"user","content":"hi"}'))
    delays, start_s = [], time.perf_counter()
    with socket.create_connection(("127.0.0.1", way.port)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while (began_s := time.perf_counter()) < start_s + seconds:
            exchanged(sock, data)
            delays.append((time.perf_counter() - began_s) * 1000)
            time.sleep(max(0.0, began_s + PACE_S - time.perf_counter()))
    results.put(delays)


def probed(
    way: Gateway, seconds: float, meanwhile: Callable[[], object]
) -> list[float]:
    """The delays of small requests, in a process of their own, while something is done."""
    results: multiprocessing.Queue[object] = multiprocessing.Queue()
    process = multiprocessing.Process(target=probe, args=(way, seconds, results))
    process.start()
    meanwhile()
    delays = results.get()
    process.join()
    assert isinstance(delays, list)
    return delays


def row(name: str, case: Case, turn_s: float) -> dict[str, object]:
    """One row of the table: a new provider and a new proxy."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    replies = {"x": (case.head, case.reply)} if case.reply else {}
    provider = multiprocessing.Process(target=provide, args=(listener, replies))
    provider.start()
    port = listener.getsockname()[1]
    try:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            with ours(port, folder) as way:
                figures = measured(way, case, turn_s)
            events = scan(folder / "lab").collect()
    finally:
        provider.kill()
        listener.close()
    cut = "facts_truncated"
    known = cut in events.columns
    assert len(events) == figures["asked"], "an event is missing"
    return figures | {"cut": int(events[cut].sum()) if known else None}


def measured(way: Gateway, case: Case, turn_s: float) -> dict[str, object]:
    """The delays without and with, and the proxy's memory."""
    pids, done = list(way.pids), threading.Event()
    peak_mb, sent, statuses = [0.0], [0], []
    data = request(way, case.path, case.body, "x" if case.reply else "")

    def watch() -> None:
        while not done.wait(0.02):
            peak_mb.append(rss_mb(pids))

    def attack(until_s: float) -> None:
        while time.perf_counter() < until_s:
            with socket.create_connection(("127.0.0.1", way.port)) as sock:
                statuses.append(exchanged(sock, data))
            sent[0] += 1

    def attack_all() -> None:
        until_s = time.perf_counter() + turn_s - 0.5
        threads = [
            threading.Thread(target=attack, args=(until_s,))
            for _ in range(case.at_once)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    alone = probed(way, turn_s, lambda: None)
    before_mb = rss_mb(pids)
    watcher = threading.Thread(target=watch)
    watcher.start()
    beside = probed(way, turn_s, attack_all)
    done.set()
    watcher.join()
    time.sleep(2)
    after_mb = rss_mb(pids)
    assert set(statuses) == {200}
    return {
        "alone": [round(quantile(alone, q), 1) for q in (0.5, 0.99, 1)],
        "beside": [round(quantile(beside, q), 1) for q in (0.5, 0.99, 1)],
        "rss_mb": [round(before_mb), round(max(peak_mb)), round(after_mb)],
        "sent": sent[0],
        "asked": sent[0] + len(alone) + len(beside),
    }


HEAD = """\
# What one hostile request or reply does to all others

Made by `python tests/benchmarks/bench_hostile.py --out <file>`; do not edit.
{when}, commit {commit}, {cores} processors at a load of {load:.0f} when it began.

A small request every 20 ms through the proxy: alone, then beside the hostile one, sent
again and again. Milliseconds from sending it to its answer's end: p50, p99, the longest.
RSS of the proxy's process in MB: before, at its peak, two seconds after the last one.
*cut*: of how many, small ones included, some facts were left out.

| hostile | sent | alone | beside | RSS | cut |
|---|---|---|---|---|---|
"""


def heading() -> str:
    """When and on what it was measured."""
    git = ["git", "rev-parse", "--short", "HEAD"]
    ran = subprocess.run(git, check=True, capture_output=True, text=True)
    return HEAD.format(
        when=f"{datetime.now(UTC):%Y-%m-%d}",
        commit=ran.stdout.strip(),
        cores=os.cpu_count(),
        load=os.getloadavg()[0],
    )


def main() -> None:
    """Print the table, and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turn", type=float, default=4.0, help="seconds")
    parser.add_argument("--only", default="", help="a part of a case's name")
    parser.add_argument("--out", type=Path, help="where the table goes besides")
    asked = parser.parse_args()
    page = heading()
    print(page, end="")
    for name, make in cases().items():
        if asked.only in name:
            found = row(name, make(), asked.turn)
            keys = ("sent", "alone", "beside", "rss_mb", "cut")
            cells = (str(found[key]).strip("[]") for key in keys)
            line = f"| {name} | {' | '.join(cells)} |\n"
            print(line, end="", flush=True)
            page += line
    if asked.out:
        asked.out.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()

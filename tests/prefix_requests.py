"""Requests, bytes and CPU, on an S3 server (moto) on loopback.

    python tests/prefix_requests.py --lab lab --rows 300 > data/prefix_requests.md

Of a lab whose closed days are counted, what was counted is put where `lectr-lab ship
--compact` puts it; its rows are not, for no view here reads them. A year of so many rows
a day is made up beside it, with all its rows, to be read with cells and without. Each
question is asked of a prefix that this process has not seen before.
"""

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import polars as pl
from shipped_lab import BUCKET, KEYS, events, s3_server

import lectr_lab as lectr
from lectr_lab.analysis.cells.kept import kept_facts
from lectr_lab.analysis.cells.prefix_sets import day_path, packed
from lectr_lab.analysis.cells.prefix_upkeep import count_prefix
from lectr_lab.analysis.cells.sets import KINDS, CellSet
from lectr_lab.log.folder import LabFolder, folder_date
from lectr_lab.log.scan import snapshot
from lectr_lab.log.schema import frame
from lectr_lab.shipping.files import packed as as_object
from lectr_lab.shipping.places import place
from lectr_lab.shipping.protocol import Generation, LogObject, roll_up
from lectr_lab.shipping.stores import RemoteStore, opened

COUNTS = "/-/counts"
BINNED = {"percentiles": "binned"}
QUESTIONS: dict[str, Callable[..., Any]] = {
    "spend by feature": partial(lectr.spend, by="feature"),
    "spend by model and day": partial(lectr.spend, by="model", every="1d"),
    "errors by feature": partial(lectr.errors, by="feature"),
    "tokens by model": partial(lectr.tokens, by="model"),
    "latency by feature, binned": partial(lectr.latency, by="feature", **BINNED),
    "summary": lectr.summary,
}


class Cost(NamedTuple):
    """Of one question."""

    lists: int
    gets: int
    received_bytes: int
    cpu_s: float


async def relay(upstream: int) -> None:
    """Count what is asked of an S3 server, and what it answers."""
    counts = Counter[str]()

    async def serve(r: asyncio.StreamReader, w: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await r.readuntil(b"\r\n\r\n")
                _, found, rest = head.lower().partition(b"content-length:")
                body = await r.readexactly(int(rest.split(b"\r\n")[0]) if found else 0)
                method, path, _ = head.split(b" ", 2)
                if path == COUNTS.encode():
                    text = json.dumps(counts).encode()
                    counts.clear()
                    size = b"Content-Length: %d" % len(text)
                    w.write(b"HTTP/1.1 200 OK\r\n%b\r\n\r\n%b" % (size, text))
                    await w.drain()
                    continue
                theirs, sending = await asyncio.open_connection("127.0.0.1", upstream)
                end = b"\r\nConnection: close\r\n\r\n"
                sending.write(head.replace(b"\r\n\r\n", end, 1) + body)
                reply = await theirs.read(-1)
                sending.close()
                kind = "LIST" if b"list-type=" in path else method.decode()
                counts[kind] += 1
                counts["bytes"] += len(reply.partition(b"\r\n\r\n")[2])
                w.write(reply)
                await w.drain()
                if b"connection: close" in reply.lower().partition(b"\r\n\r\n")[0]:
                    break
        w.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2**20)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextlib.contextmanager
def counted_server() -> Iterator[int]:
    """The port of such a server, in a process of its own."""
    own = [sys.executable, __file__, "--serve"]
    process = subprocess.Popen(own, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def counts_since(port: int) -> Counter[str]:
    """What was asked since the last time."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", COUNTS)
    return Counter(json.loads(connection.getresponse().read()))


def put_counted(store: RemoteStore, lab: LabFolder) -> tuple[int, int]:
    """What was counted of a lab's closed days; its rows, and how many days."""
    parts, rows, days = snapshot(lab.root).parts, 0, set()
    for part in parts:
        day = folder_date(part.parent)
        kept = kept_facts(lab, [part])
        if day is None or not kept.sums:
            continue
        name = hashlib.blake2b(part.name.encode(), digest_size=16).hexdigest()
        n, size = pl.scan_parquet(part).select(pl.len()).collect().item(), _size(part)
        files = (pl.read_parquet(getattr(kept, kind)) for kind in KINDS)
        path = day_path(day, name, size)
        store.put_new(path, packed(path, CellSet(*files, few=False)))
        put_day(store, day, LogObject(f"{name}.parquet", n, size))
        rows, days = rows + n, days | {day}
    return rows, len(days)


def put_year(store: RemoteStore, rows: int, today: date) -> None:
    """A year of days that have ended, with so many rows each."""
    for back in range(365, 0, -1):
        day = today - timedelta(days=back)
        some = events(0, rows, (day - date(2026, 11, 24)).days)
        data = as_object(frame(some))
        name = hashlib.blake2b(str(day).encode(), digest_size=16).hexdigest()
        store.put_new(f"log/date={day}/{name}.parquet", data)
        put_day(store, day, LogObject(f"{name}.parquet", rows, len(data)))


def put_day(store: RemoteStore, day: date, log: LogObject) -> None:
    data = msgspec.json.encode(Generation((log,), (log.name,)))
    store.put_new(f"days/date={day}/00000001.json", data)


def _size(part: Path) -> int:
    return part.stat().st_size


def asked(port: int, url: str, question: Callable[..., Any], *, rows: bool) -> Cost:
    """The cost of opening a prefix and asking one question."""
    counts_since(port)
    before = time.process_time()
    log = lectr.scan(url)
    found = question(log.lazy() if rows else log)
    found.collect()
    cpu_s, did = time.process_time() - before, counts_since(port)
    return Cost(did["LIST"], did["GET"] + did["HEAD"], did["bytes"], cpu_s)


def table(port: int, url: str, *, rows: bool) -> Iterator[str]:
    """The lines of a table."""
    yield "| question | LIST | GET | MB | CPU s |"
    yield "|---|---|---|---|---|"
    for name, question in QUESTIONS.items():
        one = asked(port, url, question, rows=rows)
        mb = one.received_bytes / 1e6
        yield f"| {name} | {one.lists} | {one.gets} | {mb:.1f} | {one.cpu_s:.2f} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lab", type=Path)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--serve", action="store_true")
    given = parser.parse_args()
    if given.serve:
        with s3_server() as url:
            asyncio.run(relay(int(url.rpartition(":")[2])))
    with counted_server() as port:
        at = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
        os.environ.update(KEYS | at | {"AWS_REGION": "us-east-1"})
        print_all(port, given.lab, given.rows)


def print_all(port: int, lab: Path | None, rows: int) -> None:
    """The page."""
    today = datetime.now(UTC).date()
    print(f"# What a year costs to read from a prefix\n\n{__doc__}\nWritten {today}.")
    if lab is not None:
        url = f"s3://{BUCKET}/large"
        store = opened(place(url, os.environ))
        n, days = put_counted(store, LabFolder(lab))
        count_prefix(store)
        roll_up(store, today)
        print(f"\n## {n:,} rows of {days} days, from cells\n")
        print("\n".join(table(port, url, rows=False)))
    url = f"s3://{BUCKET}/small"
    store = opened(place(url, os.environ))
    put_year(store, rows, today)
    count_prefix(store)
    roll_up(store, today)
    for title, of_rows in (("from cells", False), ("from rows", True)):
        print(f"\n## {rows * 365:,} rows of 365 days, {title}\n")
        print("\n".join(table(port, url, rows=of_rows)))


if __name__ == "__main__":
    main()

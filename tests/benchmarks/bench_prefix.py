"""What it costs to watch prompts' prefixes.

`python tests/benchmarks/bench_prefix.py [--rounds N] [--page]`

    read      processor time of the thread that reads a prompt's joints, a megabyte of body;
              and what decoding its JSON takes, by which machines can be compared
    compare   of the same thread, for one prompt of 1,000 joints: one that goes on, and one
              whose history was edited, beside the 15 others that its session has alive
    loop      processor time of the event loop for one request: with the observer, less
              without it; nothing of it stands before the reply
    memory    what sessions of 70 joints take, as many as there is room for, by its own
              count and by Python's

Times are the least of the rounds, for the machine may have other work. `--page` writes them
as `data/prefix_cost.md` has them.
"""

import argparse
import asyncio
import json
import random
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from lectr_lab.core.exchange import Exchange
from lectr_lab.core.headers import read_headers
from lectr_lab.core.ids import event_id
from lectr_lab.core.keys import KeyEntry
from lectr_lab.core.llm_api.request import read_request
from lectr_lab.core.prefix.compare import Seen
from lectr_lab.core.prefix.joints import read_prompt
from lectr_lab.core.prefix.memory import PrefixMemory
from lectr_lab.core.prefix.rules import rule_of
from lectr_lab.core.routing.providers import ResolvedProvider
from lectr_lab.proxy.observers.observer import Observers
from lectr_lab.proxy.observers.prefix_watch import PrefixWatch
from lectr_lab.testing.recorded_proxy import Box

OPUS = ("anthropic", "claude-opus-5-5")
RULE = rule_of(*OPUS)
KEY = b"k" * 32
_DECODE = "decode the last one's JSON, for comparison"
REQUESTS, SESSIONS = 100, 30_000
WORDS = (
    "the of code return def self file line test value error None import call".split()
)
START = datetime(2026, 11, 2, tzinfo=UTC)
OWNER = KeyEntry(key_id="k", org="acme", digest="", created_at=START)


def conversation(size_bytes: int, message_bytes: int, seed: int = 1) -> bytes:
    """A coding agent's body: tools, a long system prompt, and turns with marks."""
    dice = random.Random(seed)

    def words(length: int) -> str:
        return " ".join(dice.choices(WORDS, k=max(length // 5, 1))) + ' "x"\n'

    tools = [{"name": f"t{n}", "description": words(1500)} for n in range(20)]
    system = [{"type": "text", "text": words(20_000)}]
    messages: list[dict[str, Any]] = []
    mark = {"cache_control": {"type": "ephemeral"}}
    while len(messages) * message_bytes < size_bytes - 50_000:
        text = words(message_bytes)
        call = {"type": "tool_use", "id": "x", "name": "t1", "input": {"path": text}}
        role = "user" if len(messages) % 2 == 0 else "assistant"
        parts = [{"type": "text", "text": text}] if role == "user" else [call]
        messages.append({"role": role, "content": parts})
    if len(messages) % 2 == 0:
        messages.pop()  # the user speaks last
    messages[-1]["content"][-1] |= mark
    data = {"model": OPUS[1], "tools": tools, "system": system, "messages": messages}
    return json.dumps(data).encode()


def least_ms(work: Callable[[], object], rounds: int) -> float:
    """Of the thread's processor time."""
    tried = []
    for _ in range(rounds):
        began_s = time.thread_time()
        work()
        tried.append(time.thread_time() - began_s)
    return min(tried) * 1000


def read_ms_per_mb(rounds: int) -> dict[str, float]:
    """By the size of a body, and of its messages."""
    sizes = {
        "100 KB, messages of 2 KB": (10**5, 2_000),
        "1 MB, messages of 2 KB": (10**6, 2_000),
        "1 MB, messages of 500 B": (10**6, 500),
        "1 MB, messages of 20 KB": (10**6, 20_000),
        "10 MB, messages of 2 KB": (10**7, 2_000),
    }
    found = {}
    for name, size in sizes.items():
        body = conversation(*size)
        ms = least_ms(lambda body=body: read_prompt(body, RULE, KEY), rounds)
        found[name] = ms / (len(body) / 1e6)
    ms = least_ms(lambda: msgspec.json.decode(body), rounds)
    return found | {_DECODE: ms / (len(body) / 1e6)}


def compare_ms(rounds: int) -> dict[str, float]:
    """One more prompt of a session that has sixteen alive."""
    body = json.loads(conversation(10**6, 1_000))
    whole = body["messages"]

    def seen(messages: list[Any], at_s: float) -> Seen:
        data = json.dumps(body | {"messages": messages}).encode()
        prompt = read_prompt(data, RULE, KEY)
        assert prompt is not None
        return Seen(prompt, OPUS, None, at_s, at_s + 1)

    alive = [seen([whole[n], *whole[1:-2]], float(n) * 2) for n in range(0, 32, 2)]
    goes_on = seen(whole, 100.0)
    edited = seen([*whole[:400], whole[0], *whole[401:]], 100.0)

    def look(now: Seen) -> Callable[[], object]:
        def work() -> object:
            memory = PrefixMemory()
            for one in alive:
                memory._sessions.setdefault("s", []).append(one)
            return memory.look("s", now, RULE, is_session=True)

        return work

    return {
        "goes on": least_ms(look(goes_on), rounds),
        "edited": least_ms(look(edited), rounds),
    }


def _exchange(body: bytes, number: int) -> Exchange:
    headers = [(b"x-lectr-session", b"s%d" % (number % 50))]
    exchange = Exchange(
        event_id=event_id(number, 0),
        started_at=START,
        started_s=float(number),
        raw_path=b"/v1/messages",
        client_headers=read_headers(headers, {}),
        key=OWNER,
        headers=headers,
    )
    exchange.received(read_request(body, "messages"), len(body), float(number))
    target = ResolvedProvider("anthropic", "path")
    exchange.ruled(target, target, OPUS[1], None, None)
    return exchange


def loop_us(size_bytes: int, rounds: int) -> float:
    """What one request adds, in microseconds of the event loop's thread."""
    body = conversation(size_bytes, 2_000)

    async def serve(watched: bool) -> float:
        box = Box()
        watch = PrefixWatch(Observers(box), time.perf_counter)
        first: Any = watch if watched else Observers(box)
        watch.start()
        spent_s = 0.0
        for number in range(REQUESTS):
            exchange = _exchange(body, number)
            exchange.answered(200, [], 0.0)
            began_s = time.thread_time()
            with memoryview(body) as lent:
                first.begin(exchange, lent)
            exchange.passed_whole()
            exchange.chunk(b"{}", 0.0)
            event = exchange.ended("ok", 0.0)
            first.ended(event)
            while watched and len(box.events) <= number:
                spent_s += time.thread_time() - began_s
                await asyncio.sleep(0.001)
                began_s = time.thread_time()
            spent_s += time.thread_time() - began_s
        await watch.stop()
        return spent_s / REQUESTS * 1e6

    pairs = [
        (asyncio.run(serve(True)), asyncio.run(serve(False))) for _ in range(rounds)
    ]
    return min(on for on, _ in pairs) - min(off for _, off in pairs)


def memory_mb() -> dict[str, float]:
    """At the bound, by its own count and by Python's."""
    one = read_prompt(conversation(90_000, 1_500), RULE, KEY)
    assert one is not None
    dice = random.Random(1)
    tracemalloc.start()
    memory = PrefixMemory()
    for number in range(SESSIONS):
        prompt = msgspec.structs.replace(
            one,
            digests=dice.randbytes(len(one.digests)),
            ends=bytes(bytearray(one.ends)),
            answers=bytes(bytearray(one.answers)),
            sketch=dice.randbytes(len(one.sketch)),
        )
        now = Seen(prompt, OPUS, None, float(number), number + 0.5)
        memory.look(number, now, RULE, is_session=True)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    sessions = len(memory._sessions)
    return {
        "counted": memory.held_bytes / 1e6,
        "taken": taken / 1e6,
        "sessions": sessions,
    }


def figures(rounds: int) -> dict[str, Any]:
    """All of them."""
    return {
        "read_ms_per_mb": read_ms_per_mb(rounds),
        "compare_ms": compare_ms(rounds),
        "loop_us": {
            f"{n // 1000} KB": loop_us(n, max(rounds // 4, 2))
            for n in (60_000, 900_000)
        },
        "memory_mb": memory_mb(),
    }


def page(found: dict[str, Any]) -> str:
    """The figures as a document."""
    read, compare = found["read_ms_per_mb"], found["compare_ms"]
    loop, memory = found["loop_us"], found["memory_mb"]
    lines = [
        "# What it costs to watch prompts' prefixes",
        "",
        "Written by `python tests/benchmarks/bench_prefix.py --page`, which says what each",
        "figure is. Processor time, on a machine that others used too.",
        "",
        "| what | figure |",
        "|---|---|",
        *(
            f"| {name if name == _DECODE else f'read a prompt, {name}'} | {ms:.1f} ms a MB |"
            for name, ms in read.items()
        ),
        *(
            f"| compare 1,000 joints, {name} | {ms:.1f} ms |"
            for name, ms in compare.items()
        ),
        *(
            f"| on the event loop, a body of {n} | {us:.0f} µs |"
            for n, us in loop.items()
        ),
        f"| memory, {memory['sessions']:,} sessions | {memory['taken']:.0f} MB |",
        f"| counted of it | {memory['counted']:.0f} MB |",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--page", action="store_true")
    options = parser.parse_args()
    found = figures(options.rounds)
    print(page(found) if options.page else json.dumps(found, indent=1))


if __name__ == "__main__":
    main()

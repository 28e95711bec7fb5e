"""How providers are asked: HTTP as we speak it, and httpx beside it.

Why an engine of our own, where two good clients exist. A proxy that promises the
provider's bytes needs less than a client offers, and that exactly.

aiohttp (3.14.5) takes headers as text and writes them as UTF-8: a key with the byte e9
arrives as c3 a9. Of two names that differ in case alone only the last is sent. A reply
with a length beside chunks, which httpx reads, is an error. After a malformed chunk
inside a reply whoever reads it waits for ever; the way round that we know goes through
two private names, which any release may move.

httpx (0.28.1), its transport called without the client above it, is as exact, and
stays: the second engine, for the tests to agree with. It costs more.

Processor time for a request and its reply, in microseconds, and in brackets the ratio
to ours: quartiles over 20 rounds of `tests/benchmarks/bench_engines.py`, which shows the
faults above too. 30 November 2026, Python 3.11, uvloop, two cores that others kept
busy: that stretches absolutes; the ratios are of turns that follow each other.

    ==================== ====== ==================== ====================
    what                 ours   aiohttp              httpx's transport
    ==================== ====== ==================== ====================
    chat, 1 connection       35    167 (4.3 to 5.4)     733 (17 to 28)
    chat, 32                 27    123 (3.7 to 5.4)   4,139 (114 to 165)
    stream of ten, 32       142    313 (1.7 to 2.4)   5,163 (31 to 45)
    ==================== ====== ==================== ====================

The price is three modules to keep: connections (`connect`), a reply on one
(`connection`), and which is used again (`pool`). The parser is httptools, as uvicorn's.
"""

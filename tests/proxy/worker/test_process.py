"""The worker's process, killed, hung and missing."""

import asyncio
import os
import signal
from contextlib import asynccontextmanager

import pytest

from lectr_lab.core.llm_api.request import read_request
from lectr_lab.proxy.worker import process
from lectr_lab.proxy.worker.jobs import ReadRequest, RequestAnswer
from lectr_lab.proxy.worker.process import Worker

BODY = b'{"model":"m","messages":[]}'
PATIENCE_S = 60.0


@asynccontextmanager
async def working(job_s=PATIENCE_S):
    worker = Worker(job_s)
    try:
        yield worker
    finally:
        await worker.stop()


async def asked(worker, body=BODY, within_s=PATIENCE_S):
    return await worker.ask(ReadRequest("chat"), [body], RequestAnswer, within_s)


def run(test):
    asyncio.run(asyncio.wait_for(test, 120))


def test_it_is_there_when_it_is_asked_and_gone_when_it_is_stopped():
    """Not before, and not after."""

    async def test():
        async with working() as worker:
            assert worker._process is None
            assert await asked(worker) == (read_request(BODY, "chat"),)
            first = worker._process
            assert first is not None
            assert await asked(worker) is not None
            assert worker._process is first
        assert first.returncode is not None

    run(test())


def test_a_killed_one_is_followed_by_another():
    """The job that fell into it is answered with nothing."""

    async def test():
        async with working() as worker:
            await asked(worker)
            worker._process.kill()
            worker._process.wait()
            assert await asked(worker) is None
            assert await asked(worker) is not None

    run(test())


def test_a_hung_one_is_killed_and_followed_by_another():
    """Once its time for the job is over."""

    async def test():
        async with working() as worker:
            await asked(worker)
            hung = worker._process
            os.kill(hung.pid, signal.SIGSTOP)
            worker._job_s = 0.2
            assert await asked(worker, BODY + b" " * 5_000_000) is None
            assert hung.returncode == -signal.SIGKILL
            worker._job_s = PATIENCE_S
            assert await asked(worker) is not None

    run(test())


def test_nobody_waits_longer_than_they_want():
    """The worker goes on; its answer is nobody's."""

    async def test():
        async with working() as worker:
            await asked(worker)
            os.kill(worker._process.pid, signal.SIGSTOP)
            assert await asked(worker, within_s=0.05) is None
            os.kill(worker._process.pid, signal.SIGCONT)
            assert await asked(worker) is not None

    run(test())


@pytest.mark.parametrize("program", ["/no/such/program", "false"])
def test_one_that_cannot_begin_answers_nothing(monkeypatch, program):
    """Whether there is no such program, or it ends at once."""
    monkeypatch.setattr(process.sys, "executable", program)

    async def test():
        async with working() as worker:
            assert await asked(worker) is None

    run(test())


def test_stopping_does_not_wait_for_a_hung_one():
    """Whoever waits for it is told at once."""

    async def test():
        async with working() as worker:
            await asked(worker)
            os.kill(worker._process.pid, signal.SIGSTOP)
            waiting = asyncio.create_task(asked(worker))
            while not waiting.done():
                await asyncio.sleep(0.05)
                await worker.stop()
            assert waiting.result() is None

    run(test())

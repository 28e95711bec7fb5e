"""The arithmetic of the measurement."""

import math

import pytest

from lectr_lab.bench.gateways import Gateway
from lectr_lab.bench.load import Job, Load
from lectr_lab.bench.measure import (
    ROUNDS,
    Sender,
    helper,
    measure,
    quantile,
    slope_mb,
    soak,
)


class Replies:
    """Answers jobs with made-up loads: what a sender is to `measure`."""

    def __init__(self, ms_of_port: dict[int, float]) -> None:
        self._ms_of_port = ms_of_port

    def send(self, job) -> Load:
        ms = self._ms_of_port[job.port]
        replies = job.requests or 100
        times = {"total_ms": [ms] * 3, "first_byte_ms": [ms] * 3, "late_ms": [ms] * 3}
        return Load(replies=replies, elapsed_s=2.0, **times)


def test_added_is_the_difference_to_nothing_in_between(own_pid):
    """And nothing in between adds nothing that could be said."""
    gateways = {"direct": Gateway(1), "ours": Gateway(2, (), (own_pid,))}
    turns = []

    figures = measure(Replies({1: 0.5, 2: 2.0}), gateways, 1.0, lambda: turns.append(1))

    assert figures["ours"].added_p50_ms == pytest.approx(1.5)
    assert figures["ours"].added_first_byte_ms == pytest.approx(1.5)
    assert figures["ours"].requests_per_s == 50
    assert figures["direct"].added_p50_ms is None
    assert figures["direct"].cpu_us is None
    assert len(turns) == ROUNDS * 2


@pytest.fixture
def own_pid() -> int:
    import os

    return os.getpid()


def test_a_soak_counts_its_requests(own_pid):
    """Twenty looks at the memory, and one before."""
    seen = soak(Replies({1: 1.0}), Gateway(1, (), (own_pid,)), 2000)

    assert [n for n, _ in seen] == list(range(0, 2001, 100))
    assert abs(slope_mb([(n, 70.0) for n, _ in seen])) < 1e-9


def test_no_values_have_no_quantile():
    """A gateway whose streams all failed shows a dash."""
    assert math.isnan(quantile([], 0.5))
    assert quantile([1.0, 2.0], 0.99) == 2.0


@pytest.mark.slow
def test_a_long_answer_of_the_load_arrives_whole(monkeypatch):
    """Megabytes through a pipe, also where Python was told not to buffer."""
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    with helper("instant_provider") as provider, helper("load") as load:
        gateway = Gateway(int(provider.stdout.readline()))

        for _ in range(2):
            job = Job(
                port=gateway.port,
                request=gateway.request(stream=False),
                connections=32,
                seconds=30.0,
                requests=150_000,
            )
            assert len(Sender(load).send(job).total_ms) >= 150_000

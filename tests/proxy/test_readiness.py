"""Whether new requests should come here."""

from lectr_lab.proxy.readiness import DRAINING, NOT_STARTED, Readiness


def test_each_reason_is_said_and_none_is_ready():
    """What has not started says that alone; what drains goes on saying the rest."""
    readiness = Readiness(lambda: ["the log cannot be written."])
    before = readiness.reasons()
    readiness.started = True
    during = readiness.reasons()
    readiness.drain()
    draining = readiness.refusal()

    assert (before, during) == ([NOT_STARTED], ["the log cannot be written."])
    assert draining is not None and draining.status == 503
    assert draining.message == (
        f"Not ready: {DRAINING}; the log cannot be written. Ask again in a second."
    )


def test_where_nothing_is_wrong_there_is_nothing_to_refuse():
    """Started, and no reason."""
    readiness = Readiness()
    readiness.started = True

    assert readiness.refusal() is None

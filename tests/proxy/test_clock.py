"""The proxy's clock."""

from datetime import UTC, timedelta

from lectr_lab.proxy.clock import SystemClock


def test_the_machines_clock_goes_forward_in_utc():
    """Seconds never fall, the time of day has UTC, and dice have the bits asked for."""
    clock = SystemClock()
    times = [clock.now_s() for _ in range(100)]

    assert times == sorted(times)
    assert clock.utc_now().tzinfo is UTC
    assert clock.utc_now().utcoffset() == timedelta(0)
    assert {clock.random_bits(1) for _ in range(200)} == {0, 1}

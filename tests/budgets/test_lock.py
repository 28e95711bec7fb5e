"""The lock: had in a moment, and whoever sits on it is waited for once."""

from lectr_lab.budgets.lock import IMPATIENT_S, PATIENT_S, Lock


def test_one_has_it(tmp_path):
    """And then the next."""
    one, other = (Lock(tmp_path / "lock") for _ in range(2))
    assert one.take()
    one.give_back()
    assert other.take()
    other.close()
    assert one.take()
    assert one.intact
    (tmp_path / "lock").unlink()
    assert not one.intact


def test_whoever_sits_on_it_is_waited_for_once(tmp_path):
    """Then it is tried for a moment alone, until it could be had again."""
    clock = iter(n * IMPATIENT_S for n in range(100_000))
    one, other = Lock(tmp_path / "lock"), Lock(tmp_path / "lock", lambda: next(clock))
    one.wait()

    tries = []
    for _ in range(3):
        before = next(clock)
        assert not other.take()
        tries.append(next(clock) - before)
    assert tries[0] >= PATIENT_S
    assert max(tries[1:]) <= 5 * IMPATIENT_S
    one.give_back()
    assert other.take()

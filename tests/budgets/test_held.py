"""What a process has reserved can be told from what a dead one left."""

import os

from lectr_lab.budgets.held import Held, alive, amounts


def test_what_lives_is_told_from_what_died(tmp_path):
    """A dead one's file is removed by who has the lock, and by nobody else."""
    one, other = (Held(tmp_path / f"b.{name}.held", 16) for name in "12")
    one.add(3, 70)
    one.add(3, -20)
    other.add(5, 9)
    other.add(5, -9)

    assert [path.name for path in alive(tmp_path, "b")] == ["b.1.held", "b.2.held"]
    assert [amounts(path) for path in alive(tmp_path, "b")] == [{3: 50}, {}]
    os.close(one._fd)  # as a process that is killed does
    assert [path.name for path in alive(tmp_path, "b")] == ["b.2.held"]
    assert (tmp_path / "b.1.held").exists()
    assert list(alive(tmp_path, "x")) == []
    assert len(list(alive(tmp_path, "b", remove=True))) == 1
    assert not (tmp_path / "b.1.held").exists()


def test_who_leaves_takes_its_file_along(tmp_path):
    """Less than nothing is never held."""
    held = Held(tmp_path / "b.1.held", 16)
    held.add(1, -5)
    assert held.total == 0
    held.add(1, 5)
    assert held.total == 5
    held.close()

    assert list(tmp_path.iterdir()) == []

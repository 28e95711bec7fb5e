"""A lock that is waited for no longer than it is worth."""

import os
import signal
import time
from pathlib import Path

import pytest

from lectr_lab.proxy.shared import brief_lock
from lectr_lab.proxy.shared.brief_lock import BriefLock, is_of, rest_of

HOLD = """
import sys
from pathlib import Path
from lectr_lab.proxy.shared.brief_lock import BriefLock
lock = BriefLock(Path(sys.argv[1]))
assert lock.take()
print("held", flush=True)
%s
"""

LINUX = pytest.mark.skipif(not Path("/proc/locks").exists(), reason="asks Linux")


@pytest.fixture
def lock(tmp_path):
    """One of this process."""
    own = BriefLock(tmp_path / "lock")
    yield own
    own.close()


def test_one_has_it_at_a_time(lock, tmp_path, monkeypatch):
    """Until it is given back; and nothing is made of a name that is no file's."""
    monkeypatch.setattr(brief_lock, "MOST_S", 0.01)
    other = BriefLock(tmp_path / "lock")

    assert lock.take()
    assert not other.take()
    lock.give_back()
    assert other.take()
    other.close()
    assert lock.take(), "whoever closes it has given it back"
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="directory"):
        BriefLock(tmp_path / "folder")


@LINUX
def test_who_is_stopped_delays_nobody(lock, run_python, tmp_path):
    """A millisecond and a look, each time: neither a stopped one nor one that sleeps."""
    holder = run_python(HOLD % "import time; time.sleep(60)", tmp_path / "lock")
    assert holder.stdout is not None
    holder.stdout.readline()
    holder.send_signal(signal.SIGSTOP)
    time.sleep(0.05)

    waits_s = []
    for _ in range(20):
        began_s = time.monotonic()
        assert not lock.take()
        waits_s.append(time.monotonic() - began_s)
    holder.kill()
    holder.wait()

    assert min(waits_s) < brief_lock.MOST_S / 5
    assert lock.take(), "it ends with the process"


@LINUX
def test_who_runs_is_waited_for(lock, run_python, tmp_path, monkeypatch):
    """However long its turn of the processor takes to come."""
    monkeypatch.setattr(brief_lock, "MOST_S", 20.0)
    spin = (
        "import time\nend = time.monotonic() + 0.3\nwhile time.monotonic() < end: pass"
    )
    holder = run_python(HOLD % spin, tmp_path / "lock")
    assert holder.stdout is not None
    holder.stdout.readline()

    assert lock.take()


def test_a_process_that_rests_is_told_by_what_it_has_run(run_python):
    """Not from one that runs; one that is gone rests for ever."""
    sleeper = run_python("print(flush=True); import time; time.sleep(60)")
    sleeper.stdout.readline()
    time.sleep(0.3)

    assert rest_of(os.getpid()) == b""
    assert rest_of(sleeper.pid) == rest_of(sleeper.pid) != b""
    assert rest_of(2**22 + 1) == b"unknown"


def test_a_file_of_another_inode_is_not_it(lock, tmp_path):
    """Removed, or made anew."""
    assert lock.intact
    (tmp_path / "lock").unlink()
    assert not lock.intact
    (tmp_path / "lock").touch()
    assert not is_of(lock.fd, tmp_path / "lock")

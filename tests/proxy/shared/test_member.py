"""A process that others can tell to be dead."""

import signal

from lectr_lab.proxy.shared.member import Member, lives

JOIN = """
import sys, time
from pathlib import Path
from lectr_lab.proxy.shared.member import Member
print(Member(Path(sys.argv[1])).name, flush=True)
member = Member(Path(sys.argv[1]))
print(member.name, flush=True)
time.sleep(60)
"""


def test_a_killed_one_is_dead_and_its_file_is_removed(run_python, tmp_path):
    """By whoever asks; one that lives is left alone."""
    own, process = Member(tmp_path), run_python(JOIN, tmp_path)
    process.stdout.readline()  # let go of at once
    name = int(process.stdout.readline())

    assert lives(tmp_path, name)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not lives(tmp_path, name)
    assert lives(tmp_path, own.name)
    assert len(list(tmp_path.iterdir())) in (1, 2), "its own, and one nobody asked for"
    own.close()
    assert not lives(tmp_path, own.name)


def test_a_name_that_nobody_has_is_dead(tmp_path):
    """And so is one whose file is a folder."""
    (tmp_path / f"{7:016x}.alive").mkdir()

    assert not lives(tmp_path, 7)
    assert not lives(tmp_path, 8)

"""What a process takes."""

import os
import subprocess
import sys
import time

from lectr_lab.bench.process import cpu_s, family, rss_mb

BURN = "import time; e = time.process_time() + 0.2\nwhile time.process_time() < e: pass"


def test_processor_time_is_the_processes_own():
    """Of another process, in seconds, while it lives; sleeping costs none."""
    code = f"import sys, time\n{BURN}\nprint('burnt', flush=True)\nsys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin and child.stdout
        child.stdout.readline()
        used_s = cpu_s([child.pid])
        time.sleep(0.1)
        later_s = cpu_s([child.pid])
        assert family(os.getpid())[:1] == [os.getpid()]
        assert child.pid in family(os.getpid())
        child.stdin.close()

    assert 0.2 <= used_s < 5
    assert later_s - used_s < 0.05


def test_threads_may_end_while_they_are_looked_at():
    """A process whose threads come and go has its family all the same."""
    code = "import threading\nprint(flush=True)\nwhile True:"
    code += " threading.Thread(target=int).start()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE
    ) as child:
        assert child.stdout
        child.stdout.readline()
        try:
            found = [family(child.pid) for _ in range(300)]
        finally:
            child.kill()

    assert found == [[child.pid]] * 300


def test_memory_is_in_mib():
    """An interpreter holds more than 5 and, here, less than 5,000."""
    before_mb = rss_mb([os.getpid()])
    held = bytearray(64 * 1024 * 1024)
    held[::4096] = b"x" * len(held[::4096])
    after_mb = rss_mb([os.getpid()])

    assert 5 < before_mb < 5000
    assert 60 < after_mb - before_mb < 80
    del held

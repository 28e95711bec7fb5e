"""`lectr-lab bench`, as it is typed."""

import subprocess
import sys


def test_a_gateway_that_is_not_here_is_a_message():
    """Which there are, and how to install others."""
    done = subprocess.run(
        [sys.executable, "-m", "lectr_lab.cli", "bench", "--only", "nobody"],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )

    assert done.returncode == 2
    assert "nobody" in done.stderr
    assert "npm install" in done.stderr

"""The parts of this suite import each other by the folder's name."""

import os
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1]))

pytest.register_assert_rewrite("clients.expected")

from clients.install import IN_CI, installed


@pytest.fixture(scope="session")
def agents() -> Path:
    """The folder of the coding agents, as `.ci/run` installed them."""
    folder = installed(IN_CI)
    if folder is None:
        reason = "needs the clients: python tests/clients/install.py"
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI {reason}")
        pytest.skip(reason)
    return folder

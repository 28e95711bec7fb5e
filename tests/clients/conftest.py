"""Where the clients are installed."""

import os
from pathlib import Path

import pytest

from clients.install import IN_CI, installed

pytest.register_assert_rewrite("clients.expected")


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

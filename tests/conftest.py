"""What every test may ask for."""

import os
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[1].parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Third-party recordings and data, read where they lie: CI has them, you may not."""
    if not SHARED.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must have the shared data at {SHARED}")
        pytest.skip("needs the shared recordings and data beside the checkout")
    return SHARED

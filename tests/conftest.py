"""What every test may ask for."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine makes a right answer late; it does not make it wrong.
settings.register_profile("lectr", settings(), deadline=None)
settings.load_profile("lectr")

SHARED = Path(__file__).parents[1].parent / "shared"


@pytest.fixture
def usual_signals() -> Iterator[None]:
    """What a terminal's programs begin with: under nohup and in a script's background
    these two are ignored, and so they are by every program that a test starts."""
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
    before = {one: signal.signal(one, handler) for one, handler in usual.items()}
    yield
    for one, handler in before.items():
        signal.signal(one, handler)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Third-party recordings and data, read where they lie: CI has them, you may not."""
    if not SHARED.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must have the shared data at {SHARED}")
        pytest.skip("needs the shared recordings and data beside the checkout")
    return SHARED


@pytest.fixture(scope="session")
def rendered() -> Callable[[Path], str]:
    """A page's DOM as a real browser, with nothing to reach, leaves it."""
    chromium = shutil.which("chromium")
    if chromium is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have chromium")
        pytest.skip("needs chromium to look at a page")

    def render(page: Path) -> str:
        flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
        flags += "--disable-background-networking --disable-component-update "
        flags += "--disable-sync --virtual-time-budget=20000 --dump-dom "
        # Every name resolves to nothing: what a page loads from afar is missing.
        flags += "--host-resolver-rules=MAP\t*\t~NOTFOUND"
        profile = page.parent / "browser-profile"
        done = subprocess.run(
            [
                chromium,
                *(flag.replace("\t", " ") for flag in flags.split(" ")),
                f"--user-data-dir={profile}",
                page.resolve().as_uri(),
            ],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return done.stdout

    return render

"""What no provider bills a call of, though it has no operation: `free_paths.toml`."""

import tomllib
from importlib.resources import files


def _read() -> tuple[str, ...]:
    text = files("lectr_lab.core").joinpath("free_paths.toml").read_text("utf-8")
    return tuple(tomllib.loads(text)["paths"])


FREE_PATHS = _read()
"""As the log has them, what is no word of an API as `*`."""

"""An environment with the small install and what `versions.toml` pins, in `.clients/`.

    python tests/strangers/install.py

What is there in the right versions is left alone.
"""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

from lectr_lab.tape.locked import locked

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FOLDER = ROOT / ".clients" / "strangers"
_STAMP = FOLDER / "installed.json"  # written last: an interrupted run's does not count


def wanted() -> dict[str, str]:
    """The packages and their versions, and what the project asks for itself."""
    pinned = tomllib.loads((HERE / "versions.toml").read_text("utf-8"))["packages"]
    own = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = [*own["dependencies"], *own["optional-dependencies"]["pytest"]]
    return pinned | {"lectr-lab": " ".join(asked)}


def installed() -> Path | None:
    """The environment's Python; None where it is not there in these versions."""
    try:
        found = json.loads(_STAMP.read_text("utf-8"))
    except FileNotFoundError:
        return None
    return FOLDER / "bin" / "python" if found == wanted() else None


def install() -> Path:
    """Make it, where it is not there; returns its Python.

    Raises:
        CalledProcessError: pip could not; what it said is on standard error.
    """
    FOLDER.parent.mkdir(exist_ok=True)
    with locked(FOLDER, alone=True):  # two workers may want it
        return installed() or _made()


def _made() -> Path:
    subprocess.run([sys.executable, "-m", "venv", "--clear", FOLDER], check=True)
    python = FOLDER / "bin" / "python"
    packages = wanted()
    del packages["lectr-lab"]
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    pins = [f"{package}=={version}" for package, version in packages.items()]
    subprocess.run([*pip, *pins, "-e", f"{ROOT}[pytest]"], check=True)
    _STAMP.write_text(json.dumps(wanted()), "utf-8")
    return python


if __name__ == "__main__":
    install()

"""Install the clients that `versions.toml` pins, from npm and PyPI, into `.clients/`.

    python tests/clients/install.py [--long]

What is there in the right versions is left alone. What cannot be installed is said, and
is an error in CI alone: elsewhere the tests that need it are skipped.
"""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CLIENTS = HERE.parents[1] / ".clients"
IN_CI, PAGES = "agents", "pages"  # which CI installs
NO_NPM = "needs npm: apt-get install nodejs npm"
_STAMP = "installed.json"  # written last: what an interrupted run left does not count
_QUIET = "--no-audit --no-fund --no-package-lock --no-update-notifier --loglevel=error"
_QUIET += " --fetch-retries=5"


def pinned() -> dict[str, dict[str, Any]]:
    """The sets of packages, by name."""
    return tomllib.loads((HERE / "versions.toml").read_text("utf-8"))


def installed(name: str) -> Path | None:
    """The folder of a set; None where it is not there in its versions."""
    folder = CLIENTS / name
    try:
        found = json.loads((folder / _STAMP).read_text("utf-8"))
    except FileNotFoundError:
        return None
    return folder if found == pinned()[name]["packages"] else None


def install(name: str) -> None:
    """Install a set anew.

    Raises:
        CalledProcessError: npm or pip could not; what it said is on standard error.
    """
    one, folder = pinned()[name], CLIENTS / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    packages = one["packages"]
    (_from_npm if one["registry"] == "npm" else _from_pypi)(folder, packages)
    (folder / _STAMP).write_text(json.dumps(packages), "utf-8")


def _from_npm(folder: Path, packages: dict[str, str]) -> None:
    """Without their install scripts: those only link a binary that is there anyway."""
    manifest = {"private": True, "dependencies": packages}
    (folder / "package.json").write_text(json.dumps(manifest), "utf-8")
    command = ["npm", "install", "--ignore-scripts", *_QUIET.split()]
    subprocess.run(command, cwd=folder, check=True)


def _from_pypi(folder: Path, packages: dict[str, str]) -> None:
    wanted = [f"{package}=={version}" for package, version in packages.items()]
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, *wanted], check=True)


def main(*arguments: str) -> int:
    """Install what is missing; returns the exit code."""
    wanted = [
        name for name in pinned() if name in (IN_CI, PAGES) or "--long" in arguments
    ]
    problems = [_problem(name) for name in wanted if installed(name) is None]
    for problem in filter(None, problems):
        print(problem, file=sys.stderr)
    return int(any(problems) and os.environ.get("CI") == "true")


def _problem(name: str) -> str | None:
    """Install a set; returns why it could not be."""
    one = pinned()[name]
    if one["registry"] == "npm" and shutil.which("npm") is None:
        return f"{name}: not installed, {NO_NPM}"
    print(f"{name}: installing, {one['mib']} MiB", flush=True)
    try:
        install(name)
    except subprocess.CalledProcessError as failed:
        return f"{name}: not installed: {failed}"
    return None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

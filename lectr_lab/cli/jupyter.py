"""`lectr-lab lab`: JupyterLab on the notebooks, with everything set."""

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from lectr_lab.core.errors import LabError, MissingExtra

_FIRST = "00_start_here.ipynb"


def open_jupyterlab(
    *,
    notebooks: Path = Path("lectr-notebooks"),
    port: int = 8888,
    no_browser: bool = False,
) -> None:
    """Open JupyterLab on the notebooks. Copies those that are not there yet.

    A notebook that is there is yours, and stays as it is. The ones about your bill read
    the log that lectr.toml names, or ./lab, where there is one, and made-up traffic
    else. Nothing is fetched from the network, JupyterLab's news included.

    Example: lectr-lab lab

    Args:
        notebooks: the folder where they are, or are put.
        port: where JupyterLab listens; the next free one where it is taken.
        no_browser: print the address, open nothing.

    Raises:
        MissingExtra: JupyterLab is not installed.
        LabError: the folder cannot be written.
    """
    if find_spec("jupyterlab") is None:
        raise MissingExtra("jupyterlab")
    _copy_missing(notebooks)
    environ = os.environ | {"LECTR_LAB": _own_lab()} | _own_settings()
    command = [sys.executable, "-m", "jupyterlab", *_flags(notebooks, port)]
    command += ["--no-browser"] * no_browser
    command += ["--allow-root"] * (os.geteuid() == 0)  # as in most containers
    os.execve(sys.executable, command, environ)


def _copy_missing(folder: Path) -> None:
    from lectr_lab.resources import shipped_notebooks

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for notebook in sorted(shipped_notebooks().glob("*.ipynb")):
            if not (folder / notebook.name).exists():
                shutil.copyfile(notebook, folder / notebook.name)
    except OSError as error:
        raise LabError(
            f"The notebooks cannot be put into {folder}: {error.strerror}. "
            "Name another place with --notebooks."
        ) from None


def _own_lab() -> str:
    """Of this folder, for the notebooks stand in another."""
    from lectr_lab.config.settings import lab_here

    return str(lab_here(os.environ).resolve())


def _own_settings() -> dict[str, str]:
    """JupyterLab's first question, whether to show news, is answered: no."""
    own = str(Path(__file__).parents[1] / "jupyter")
    before = os.environ.get("JUPYTER_CONFIG_PATH")
    return {"JUPYTER_CONFIG_PATH": f"{own}{os.pathsep}{before}" if before else own}


def _flags(folder: Path, port: int) -> list[str]:
    return [
        f"--ServerApp.root_dir={folder.resolve()}",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        f"--LabApp.default_url=/lab/tree/{_FIRST}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",  # the other one asks PyPI
    ]

"""Where the files that travel with the package are: recordings, made-up traffic, notebooks."""

from pathlib import Path

from lectr_lab.core.errors import LabError


def shipped_cassettes() -> Path:
    """The folder of recordings that came with lectr_lab.

    Returns:
        `lectr_lab/cassettes` where it is installed, `cassettes` of a checkout.

    Raises:
        LabError: this installation has none.

    >>> (shipped_cassettes() / "PROVENANCE.md").is_file()
    True
    """
    return _shipped("cassettes", "PROVENANCE.md")


def shipped_traffic() -> Path:
    """The lab folder of four weeks of made-up traffic, `data/demo`.

    Raises:
        LabError: this installation has none.

    >>> (shipped_traffic() / "README.md").is_file()
    True
    """
    return _shipped("data/demo", "README.md")


def shipped_agent_runs() -> Path:
    """The lab folder of recorded runs of coding agents, `data/agents`.

    Raises:
        LabError: this installation has none.

    >>> (shipped_agent_runs() / "README.md").is_file()
    True
    """
    return _shipped("data/agents", "README.md")


def shipped_notebooks() -> Path:
    """The folder of the notebooks.

    Raises:
        LabError: this installation has none.

    >>> (shipped_notebooks() / "00_start_here.ipynb").is_file()
    True
    """
    return _shipped("notebooks", "00_start_here.ipynb")


def shipped_policy() -> Path:
    """The page that says how often verdicts of `evidence` are wrong, on public data.

    Raises:
        LabError: this installation has none.

    >>> shipped_policy().name
    'policy_on_public_data.md'
    """
    name = "policy_on_public_data.md"
    return _shipped("data", name) / name


def _shipped(folder: str, holds: str) -> Path:
    package = Path(__file__).parent
    for place in (package / folder, package.parent / folder):
        if (place / holds).is_file():
            return place
    raise LabError(
        f"This installation has no {folder} beside {package}. Install lectr-lab again."
    )

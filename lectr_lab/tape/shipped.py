"""Where the recordings that travel with the package are."""

from pathlib import Path

import lectr_lab
from lectr_lab.core.errors import CassetteError


def shipped_cassettes() -> Path:
    """The folder of recordings that came with lectr_lab.

    Returns:
        `lectr_lab/cassettes` where it is installed, `cassettes` of a checkout.

    Raises:
        CassetteError: this installation has none.

    >>> (shipped_cassettes() / "PROVENANCE.md").is_file()
    True
    """
    package = Path(lectr_lab.__file__).parent
    for folder in (package / "cassettes", package.parent / "cassettes"):
        if (folder / "PROVENANCE.md").is_file():
            return folder
    raise CassetteError(
        f"This installation has no recordings beside {package}.\n"
        "Install lectr-lab again, or use a cassette of your own: tape:<path>."
    )

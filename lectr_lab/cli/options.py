"""An option that many commands have."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

Lab = Annotated[Path | None, Parameter(name=["--lab", "--folder"])]
"""The lab folder, by its name and by the one that it had before."""

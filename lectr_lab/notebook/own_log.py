"""Whether there is a log of one's own to look at, or made-up traffic alone."""

from pathlib import Path

import polars as pl

from lectr_lab.analysis.scan import DEMO_MARK, MADE_UP
from lectr_lab.log.scan import scan


def has_own(lab: Path) -> bool:
    """Whether a lab folder has a request of one's own, however many others it has.

    What a demo replayed and what was made up are not, nor is a folder that is not there.

    Raises:
        LogError: the folder cannot be read.

    >>> from lectr_lab.resources import shipped_traffic
    >>> has_own(Path("no such folder")), has_own(shipped_traffic())
    (False, False)
    """
    if not lab.is_dir() or (lab / DEMO_MARK).exists():
        return False
    real = pl.col("org").ne_missing(MADE_UP)
    return not scan(lab).filter(real).head(1).collect().is_empty()

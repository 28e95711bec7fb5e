"""Compacts a lab's closed days, then counts them: `python -m lectr_lab.analysis.cells.upkeep`.

What the proxy starts now and then in a process of its own, with the arguments of
`log/upkeep/compact.py`. That room knows nothing of this one; here both are done.
"""

import sys
from pathlib import Path

from lectr_lab.log.folder import LabFolder
from lectr_lab.log.upkeep import compact


def main(arguments: list[str]) -> int:
    """Compact one lab folder and count it, as `compact.main` says what went wrong."""
    code = compact.main(arguments)
    folders = [Path(one) for one in arguments if one != compact.KEEP_REQUEST_IDS]
    if len(folders) == 1 and folders[0].is_dir():
        # Prices' lists are loaded once the merging is over, which needs none.
        from lectr_lab.analysis.cells.kept import count_closed

        count_closed(LabFolder(folders[0]))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""A watcher as a process: `watched` starts it."""

import sys

from lectr_lab.beside import obey
from lectr_lab.watching.beside import watch_lab

if __name__ == "__main__":
    sys.exit(obey("watch", watch_lab))

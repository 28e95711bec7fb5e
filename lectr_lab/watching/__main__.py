"""A watcher as a process: `watched` starts it."""

import sys

from lectr_lab.watching.beside import obey

if __name__ == "__main__":
    sys.exit(obey())

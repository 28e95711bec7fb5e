"""A shipper as a process: `shipped` starts it."""

import sys

from lectr_lab.shipping.beside import obey

if __name__ == "__main__":
    sys.exit(obey())

"""What a log would have cost had rules been on."""

from lectr_lab.analysis.simulate.simulate import simulate

__all__ = ["simulate"]

"""What changed between two spans of a log."""

from lectr_lab.analysis.compare.compare import compare

__all__ = ["compare"]

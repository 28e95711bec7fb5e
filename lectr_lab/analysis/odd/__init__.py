"""What is odd in a log: cells, what was expected of them, and incidents."""

from lectr_lab.analysis.odd.judge import odd

__all__ = ["odd"]

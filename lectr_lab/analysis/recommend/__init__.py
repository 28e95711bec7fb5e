"""Which cheaper model to try for which traffic, and what that saves."""

from lectr_lab.analysis.recommend.recommend import recommend

__all__ = ["recommend"]

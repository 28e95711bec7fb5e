"""Why a provider's own usage differs from the log."""

from lectr_lab.analysis.reconcile.reconcile import reconcile

__all__ = ["reconcile"]

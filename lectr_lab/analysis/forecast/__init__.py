"""What the days to come will cost, and how sure that is."""

from lectr_lab.analysis.forecast.forecast import (
    budgets_beside,
    forecast,
    forecast_payload,
)

__all__ = ["budgets_beside", "forecast", "forecast_payload"]

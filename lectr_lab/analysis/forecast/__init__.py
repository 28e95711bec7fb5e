"""What the days to come will cost, and how sure that is."""

from lectr_lab.analysis.forecast.forecast import forecast, forecast_payload

__all__ = ["forecast", "forecast_payload"]

"""What one call costs, exactly; the one address of genai_prices."""

from genai_prices.types import ModelPrice, TieredPrices

__all__ = ["ModelPrice", "TieredPrices"]

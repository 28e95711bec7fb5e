"""What one call costs, exactly; the one address of genai_prices."""

from genai_prices import types

ModelPrice = types.ModelPrice
TieredPrices = types.TieredPrices

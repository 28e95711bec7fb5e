"""What one call costs, exactly; the one address of genai_prices."""

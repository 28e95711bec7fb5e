"""Who asks, and in which run: read from what programs say of themselves."""

"""Why a provider's own usage differs from the log."""

"""Why a prompt's beginning was read from a cache or not: digests, never content."""

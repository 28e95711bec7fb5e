"""Which provider and model a request is for: the registry, and an operator's rules."""

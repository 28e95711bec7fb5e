"""What the workers of one port have in common: processes that know nothing else of each
other."""

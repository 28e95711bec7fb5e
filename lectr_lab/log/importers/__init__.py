"""Calls that others logged, read as ours."""

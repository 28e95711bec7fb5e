"""Watching a lab beside its proxies, and telling of each thing once."""

"""Many proxies, one prefix of an object store: what is sealed is put there, and read there."""

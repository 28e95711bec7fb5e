"""A process beside the proxy, for what would hold up requests inside it."""

"""Several processes at one port, and their parent, which answers nobody itself."""

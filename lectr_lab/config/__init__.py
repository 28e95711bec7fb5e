"""lectr.toml and the environment: what an operator may say, and where it is wrong."""

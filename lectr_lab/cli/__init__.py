"""One command a module; `app` lists them and loads the one that is called."""

from lectr_lab.cli.app import main

__all__ = ["main"]

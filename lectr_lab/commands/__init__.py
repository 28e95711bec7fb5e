"""One command a module; `lectr_lab.cli` lists them and loads the one that is called."""

"""Programs run with their LLM calls through a proxy: what `lectr-lab run` knows of them."""

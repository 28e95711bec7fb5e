"""How providers are asked: HTTP as we speak it, and httpx beside it."""

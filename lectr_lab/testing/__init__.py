"""The door for tests: recordings played through the real proxy, and budgets."""

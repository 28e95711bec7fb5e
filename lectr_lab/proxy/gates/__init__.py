"""What may refuse a request, because its operator asked for that: limits, budgets.

That a key is ours is checked before there is a request at all: see `relay`.
"""

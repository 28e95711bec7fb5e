"""Whether a cheaper model would do: recordings paired, scored, and asked for.

The tape and the analysis do not see each other; they meet here.
"""

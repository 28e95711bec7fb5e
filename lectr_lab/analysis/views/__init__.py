"""A log from each side: what it cost, how slow and how sound it was, what is missing."""

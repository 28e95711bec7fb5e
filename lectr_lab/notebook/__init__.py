"""The door for cells: a proxy, its card, its log as it grows."""

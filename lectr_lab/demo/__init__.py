"""What can be looked at without a key: recorded traffic, and made-up traffic."""

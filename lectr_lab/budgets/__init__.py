"""What budgets have left, shared by all processes of a lab folder without a server."""

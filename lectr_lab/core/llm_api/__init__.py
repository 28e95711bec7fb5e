"""What providers are sent and what they answer: measured, never kept."""

"""What the rows of a log cost: the rules of core/pricing, said over columns."""

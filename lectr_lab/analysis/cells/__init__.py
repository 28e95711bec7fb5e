"""What a log counts to, beside its files: sums from which views can be told again."""

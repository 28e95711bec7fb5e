"""What looks at requests that pass, and never holds one up."""

"""What providers say that they counted and charged, in the files that people have."""

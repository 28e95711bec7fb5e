"""What is done to a log between runs: fewer files, less kept, faults found and mended."""

"""How clients are answered: all that is of uvicorn."""

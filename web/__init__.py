"""HTTP in: the API of the command line and of agents."""

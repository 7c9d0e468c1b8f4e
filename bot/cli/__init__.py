"""The command line `mosaic`: it starts the daemon, and is a thin face on it."""

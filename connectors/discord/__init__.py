"""Discord. What needs discord.py imports it itself, since loading it takes long."""

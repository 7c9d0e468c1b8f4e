"""The Discord connector, over discord.py."""

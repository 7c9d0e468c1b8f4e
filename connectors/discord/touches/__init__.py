"""What people touch on Discord: slash commands, suggestions, buttons, selects and forms."""

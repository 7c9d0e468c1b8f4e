"""Rooms with a role: how they are built, named, pinned and found again, and whose devices take part in encrypted ones."""

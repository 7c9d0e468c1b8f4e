"""Rooms with a role, threads made for cards, what stands pinned, and whose devices take part in encrypted rooms."""

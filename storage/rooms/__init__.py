"""Rooms and what stands pinned in them, in Postgres."""

"""Migrations, forward only: a released file never changes."""

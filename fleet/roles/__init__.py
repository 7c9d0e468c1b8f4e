"""Contracts of the roles that every fleet needs, as Markdown."""

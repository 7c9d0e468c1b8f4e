"""Who is in the fleet: roster.yaml read, checked, changed and written."""

"""Files in Postgres: their bytes, and those that people sent."""

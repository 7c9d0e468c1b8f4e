"""The PostgreSQL server of our own: its programs, its directory, its process."""

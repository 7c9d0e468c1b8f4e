"""The supervisor's register, its concerns, and who leads, in Postgres."""

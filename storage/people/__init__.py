"""People in Postgres: their linked accounts, and what is said in several threads of one card."""

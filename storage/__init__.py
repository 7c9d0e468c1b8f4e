"""Everything Postgres, and nothing else."""

"""Named queries, one file per topic."""

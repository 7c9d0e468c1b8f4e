"""bench-claims: what a claim costs, whatever the backlog's size, beside a floor, the reference and two libraries."""

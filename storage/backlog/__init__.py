"""The backlog in Postgres: cards, their order, who holds which, and what people ask of them."""

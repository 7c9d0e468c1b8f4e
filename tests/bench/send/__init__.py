"""bench-send: what a message into an agent's pane costs, with proof and without."""

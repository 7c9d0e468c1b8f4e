"""Mail into an agent's terminal, with proof: the door, the keyboard, the hatch (spec 4-receipts)."""

"""People who talk with us: whose accounts belong to one person, and what of theirs is shown elsewhere."""

"""People who talk with us: whose accounts belong to one person, and what is said in several threads of a card."""

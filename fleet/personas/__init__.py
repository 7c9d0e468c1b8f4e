"""What an agent is told to be: contracts by class, ours and a person's own over them."""

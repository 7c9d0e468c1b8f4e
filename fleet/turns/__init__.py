"""What programs say of their turns, as events in a file, and how messages are told apart there."""

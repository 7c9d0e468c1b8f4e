"""A Matrix homeserver of our own, with its accounts, as a part of the daemon."""

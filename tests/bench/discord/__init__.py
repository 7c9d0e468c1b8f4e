"""bench-discord: how soon a person on Discord is answered, and what 200 threads cost."""

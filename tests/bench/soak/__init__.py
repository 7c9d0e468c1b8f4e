"""bench-soak: a day in ten rooms, with everything dying in between, beside a bot on the library's own loop."""

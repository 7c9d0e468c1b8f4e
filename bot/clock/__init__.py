"""Time: the clock that calls jobs, moments as people write them, quiet hours, steps tried again or run together."""

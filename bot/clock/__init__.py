"""Time: the one clock that calls jobs, moments as people write them, quiet hours, steps that are tried again or run together."""

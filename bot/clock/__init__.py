"""Time: the one clock that calls jobs, moments as people write them, quiet hours, waits between tries."""

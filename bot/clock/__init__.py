"""Time: the one clock that calls jobs, moments as people write them, quiet hours, the waits between two tries."""

"""What is configured: settings, places on disk, secrets, logs."""

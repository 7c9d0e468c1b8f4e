"""What people and agents can ask for: one file per topic, one class per topic."""

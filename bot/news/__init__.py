"""What people are told without having asked: digests, concerns, reminders, news of cards."""

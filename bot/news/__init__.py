"""What people are told without having asked: digests, what cannot wait, reminders, news of cards."""

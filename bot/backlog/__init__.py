"""The backlog: cards, their history and threads, and the seams through which they are kept."""

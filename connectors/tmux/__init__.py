"""The operator's console in a tmux window: needs no account at all."""

"""The agents on this host: roster, tmux sessions, runtimes, heartbeats, delivery into terminals."""

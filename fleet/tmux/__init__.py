"""tmux as this project needs it: one terminal a socket, guards inside tmux, screens as values."""

"""From an agent in the roster to its program in a pane: prompt, papers, start line."""

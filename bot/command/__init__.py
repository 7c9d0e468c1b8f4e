"""The command core: a method's declaration becomes a chat line, a shell command and an HTTP call."""

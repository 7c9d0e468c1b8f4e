"""The ways people reach the orchestrator: one file or folder per platform."""

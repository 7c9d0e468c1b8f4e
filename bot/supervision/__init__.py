"""The supervisor: who gets which card, what is escalated, and what a pause forbids."""

"""The supervisor: who gets which card, what is escalated, which concerns are open, and what a pause forbids."""

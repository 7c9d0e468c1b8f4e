"""What the middle knows of agents without knowing how they run: the seams that fleet/ and storage/ fill."""

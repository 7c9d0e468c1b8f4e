"""Whoever looks on while agents run: the floor, the lookout, the register, what turns come to."""

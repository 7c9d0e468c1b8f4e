"""How much a property test may try on a machine that others use too."""

from hypothesis import settings

modest = settings(max_examples=25, deadline=None)
"""Few examples, and no deadline for one: a busy machine is no fault of the code."""

"""How many tokens a text has, about: an estimate that needs no model's own tokenizer.

Models cut text differently, and their tokenizers are large; what counts here is which part of a prompt is long.
Words are cut into pieces of six letters, every run of digits into three, every other sign counts by itself.
"""

import re

_PIECES = re.compile(r"[^\W\d_]{1,6}|\d{1,3}|[^\w\s]|_")


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a text has (``docs/explanation/prompts.md`` says how far off it is)."""
    return len(_PIECES.findall(text))

"""What the database refuses of a card, said as a person can use it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import asyncpg

from bot.errors import UserError

_LIMITS = {
    "card_id_form": ("id", "a letter or digit, then up to 63 of letters, digits, `.`, `_`, `-`"),
    "card_title_length": ("title", "1 to 300 characters"),
    "card_body_length": ("body", "at most 400000 bytes"),
    "card_phase_length": ("phase", "1 to 100 characters"),
    "card_agent_class_length": ("agent_class", "1 to 100 characters"),
    "card_agent_length": ("agent", "1 to 100 characters"),
    "card_host_length": ("host", "1 to 255 characters"),
    "card_block_reason_length": ("block_reason", "1 to 2000 characters"),
    "card_claim_owner_length": ("claim_owner", "1 to 255 characters"),
    "card_claim_ttl_range": ("claim_ttl_seconds", "1 to 604800 seconds (7 days)"),
    "card_key_length": ("idempotency_key", "1 to 200 characters"),
}


@contextmanager
def within_limits(said: Mapping[str, Any]) -> Iterator[None]:
    """Turn a broken CHECK on one field into a UserError with field, value and what is allowed.

    ``said`` holds the values by field. A CHECK that no single value can break stays a bug.
    """
    try:
        yield
    except asyncpg.CheckViolationError as error:
        limit = _LIMITS.get(error.constraint_name)
        if limit is None:
            raise
        field, allowed = limit
        shown = repr(said.get(field))
        shown = shown if len(shown) <= 80 else shown[:77] + "…"
        raise UserError(f"{field}: {shown} is not allowed: {allowed}", code="invalid") from error

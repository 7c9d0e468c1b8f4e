"""Whom a person's words are meant for: the agent that they name first, else the orchestrator."""

import contextlib
import re

from bot.errors import MosaicError
from bot.model import Address
from bot.ports import Fleet

_NAMED = re.compile(r"@(?P<name>[A-Za-z0-9][A-Za-z0-9_-]{0,63})[:,]?\s+(?P<words>\S.*)", re.DOTALL)


def addressee(fleet: Fleet, text: str) -> tuple[Address | None, str]:
    """Return whose words they are, and what is said to that one; None when there is no orchestrator.

    ``@NAME words`` is for that agent, or the one with that alias; any other name is part of the words.
    """
    found = _NAMED.fullmatch(text.strip())
    if found is not None:
        with contextlib.suppress(MosaicError):  # no such agent, or no roster
            return fleet.address(found["name"], None), found["words"]
    return fleet.orchestrator(), text

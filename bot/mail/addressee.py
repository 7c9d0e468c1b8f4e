"""Whom a person's words are for: an agent that they name, else who holds the thread's card, else the orchestrator."""

import contextlib
import re

from bot.backlog.ports import Threads
from bot.errors import MosaicError
from bot.model import Address, Inbound
from bot.ports import Fleet

_NAMED = re.compile(r"@(?P<name>[A-Za-z0-9][A-Za-z0-9_-]{0,63})[:,]?\s+(?P<words>\S.*)", re.DOTALL)


async def addressee(fleet: Fleet, threads: Threads, event: Inbound) -> tuple[Address | None, str]:
    """Return whose words they are, and what is said to that one; None when there is no orchestrator.

    ``@NAME words`` is for that agent, or the one with that alias; any other name is part of the words. In a card's
    thread all else is for the agent that holds the card.
    """
    found = _NAMED.fullmatch(event.text.strip())
    if found is not None:
        with contextlib.suppress(MosaicError):  # no such agent, or no roster
            return fleet.address(found["name"], None), found["words"]
    return await _holder(fleet, threads, event.source) or fleet.orchestrator(), event.text


async def _holder(fleet: Fleet, threads: Threads, place: Address) -> Address | None:
    """Return the agent that holds the card whose thread it is; None when nobody does, or a person."""
    owner = await threads.holder_in(place)
    if owner is None:
        return None
    host, _, name = owner.removeprefix("agent:").rpartition("/")
    with contextlib.suppress(MosaicError):
        return fleet.address(name, host or None)
    return None

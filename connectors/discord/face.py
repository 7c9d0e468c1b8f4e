"""How people touch the bot beside words: slash commands, buttons, forms. What serves them hangs on here."""

from typing import Protocol

import discord

from bot.model import OutboundMessage, SendResult
from bot.ports import Accept
from connectors.discord.client import DiscordClient


class Face(Protocol):
    """What of Discord is touched, not written.

    ``prepare`` is awaited once a client is logged in and before it listens; ``accept`` stores what people do (a batch
    without a position). ``answer`` takes a message that answers one of its interactions, and returns None for any
    other. ``view`` returns what people may press on a message, None for nothing.
    """

    async def prepare(self, client: DiscordClient, accept: Accept) -> None: ...

    async def answer(self, message: OutboundMessage) -> SendResult | None: ...

    async def view(self, message: OutboundMessage) -> discord.ui.View | None: ...


class PlainFace:
    """A bot that is only written to."""

    async def prepare(self, client: DiscordClient, accept: Accept) -> None:
        """Prepare nothing."""

    async def answer(self, message: OutboundMessage) -> SendResult | None:  # noqa: ARG002 - a port
        """Return None: nothing here was asked by a touch."""
        return None

    async def view(self, message: OutboundMessage) -> discord.ui.View | None:  # noqa: ARG002 - a port
        """Return None: there is nothing to press."""
        return None

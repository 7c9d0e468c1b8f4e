"""How people touch the bot beside words: slash commands, buttons, forms. What serves them hangs on here."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import discord

from bot.model import OutboundMessage, SendResult
from bot.ports import Accept
from connectors.discord.client import DiscordClient

Content = Callable[[OutboundMessage], Awaitable[Callable[[], dict[str, Any]]]]
"""Gives all that a message shows, as the library's ``send`` takes it; made anew for each try, as a file is read once."""


class Face(Protocol):
    """What of Discord is touched, not written.

    ``prepare`` is awaited once a client is logged in and before it listens; ``accept`` stores what people do (a batch
    without a position). ``answer`` takes every message and mark first: it shows what answers a touch where that was
    touched, and returns anything else as it is to be said. ``view`` returns what people may press on a message.
    """

    async def prepare(self, client: DiscordClient, accept: Accept, *, guild_id: int) -> None: ...

    async def answer(
        self, message: OutboundMessage, content: Content
    ) -> SendResult | OutboundMessage: ...

    async def view(self, message: OutboundMessage) -> discord.ui.View | None: ...


class PlainFace:
    """A bot that is only written to."""

    async def prepare(self, client: DiscordClient, accept: Accept, *, guild_id: int) -> None:
        """Prepare nothing."""

    async def answer(
        self,
        message: OutboundMessage,
        content: Content,  # noqa: ARG002 - a port
    ) -> SendResult | OutboundMessage:
        """Return the message: nothing here was asked by a touch."""
        return message

    async def view(self, message: OutboundMessage) -> discord.ui.View | None:  # noqa: ARG002 - a port
        """Return None: there is nothing to press."""
        return None

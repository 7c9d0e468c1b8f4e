"""Whether something of ours was shown, long after it was tried: Discord knows a nonce for a few minutes only."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

import discord

from bot.errors import UserError
from bot.model import OutboundMessage
from connectors.discord.api import PAGE, Api
from connectors.discord.embeds import likeness, shown_of
from connectors.discord.failures import UNKNOWN_CHANNEL
from connectors.discord.places import number_of

Shown = Callable[[Sequence[str]], Awaitable[frozenset[str]]]
"""Returns those of Discord's ids under which something of ours is known to stand."""

NONCE_LASTS = timedelta(seconds=60)
"""For how long a nonce surely counts: "the past few minutes", in the documentation's words ("Create Message")."""

_MARGIN = timedelta(minutes=10)
"""By how much our clock and Discord's may differ."""

_PAGES = 20


class Lookback:
    """Looks for a message of ours where it should stand.

    Nothing else of ours is said in a place while one message's fate is open, so what says the same, came after the
    first try and is no other message's is it. ``own_id`` is the bot's.
    """

    def __init__(self, api: Api, shown: Shown, own_id: Callable[[], int | None]) -> None:
        self._api = api
        self._shown = shown
        self._own_id = own_id

    @staticmethod
    def is_needed(first_tried_at: datetime) -> bool:
        """Return whether the nonce may be forgotten; a first try that is still to come is a clock that is wrong."""
        age = datetime.now(UTC) - first_tried_at
        return not timedelta() <= age < NONCE_LASTS

    async def find(self, message: OutboundMessage, first_tried_at: datetime) -> int | None:
        """Return the message as it stands, None when it was surely not shown.

        Raises LookupError when nobody can tell.
        """
        for word in filter(None, (message.to.thread, message.to.place)):
            try:
                return await self._search(number_of(word, message.to), message, first_tried_at)
            except UserError as error:
                # A thread that was never begun: then its words may stand in the channel itself.
                if error.code != UNKNOWN_CHANNEL:
                    raise LookupError(error.message) from error
        return None

    async def _search(
        self, channel_id: int, message: OutboundMessage, first_tried_at: datetime
    ) -> int | None:
        after = max(discord.utils.time_snowflake(first_tried_at - _MARGIN), 0)
        for _ in range(_PAGES):
            page = await self._api.page(channel_id, after)
            alike = [one.id for one in page if self._is_alike(one, message)]
            known = await self._shown([str(one) for one in alike]) if alike else frozenset()
            fresh = [one for one in alike if str(one) not in known]
            if fresh:
                return fresh[0]
            if len(page) < PAGE:
                return None
            after = page[-1].id
        raise LookupError("too much was said there since")

    def _is_alike(self, found: discord.Message, message: OutboundMessage) -> bool:
        content, embeds = shown_of(message)
        ours = found.author.id == self._own_id() and found.content == content.strip()
        sizes = [file.size for file in found.attachments]
        same = sizes == [file.size for file in message.files[:1]]
        # Behind ours Discord puts embeds of its own, for addresses in the words.
        return ours and same and likeness(found.embeds[: len(embeds)]) == likeness(embeds)

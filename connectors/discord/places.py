"""Where the bot is: its channels, and the threads below them."""

from collections import OrderedDict
from collections.abc import Callable, Collection

import discord

from bot.errors import UserError
from bot.model import Address
from connectors.discord.api import Api
from connectors.discord.client import KIND, DiscordClient

_REMEMBERED = 5000
_THREADS = frozenset({10, 11, 12})
"""Types of channels that are threads (Discord's documentation, "Channel Types")."""


def number_of(event_id: str, where: Address) -> int:
    """Return an id as the library has it; UserError for what is none.

    Of what has no id of its own (an edit, a mark) it is the message's.
    """
    word = event_id.partition(":")[0]
    if not (word.isascii() and word.isdigit() and len(word) < 21):
        raise UserError(f"{where} is no place on Discord: {word!r} is no id")
    return int(word)


class Places:
    """Knows which channel a thread belongs to. ``channels`` are the ids of those in which we listen."""

    def __init__(
        self, client: DiscordClient, api: Api, channels: Callable[[], Collection[str]]
    ) -> None:
        self._client = client
        self._api = api
        self._channels = channels
        self._parents: OrderedDict[int, int | None] = OrderedDict()

    @property
    def channels(self) -> tuple[int, ...]:
        """The ids of the channels in which we listen."""
        return tuple(int(one) for one in self._channels())

    async def find(self, channel_id: int) -> Address | None:
        """Return the address of a channel or thread, None when it is not for us to read.

        Raises TransientError when Discord has to be asked and is away.
        """
        if channel_id in self.channels:
            return Address(KIND, str(channel_id))
        parent = await self._parent(channel_id)
        return self.thread(channel_id, parent) if parent in self.channels else None

    def thread(self, thread_id: int, parent_id: int | None) -> Address:
        """Return the address of a thread in its channel."""
        return Address(KIND, str(parent_id), str(thread_id))

    def has_thread(self, thread_id: int) -> bool:
        """Whether a thread is known to be there."""
        known = self._client.get_channel(thread_id)
        return isinstance(known, discord.Thread) or self._parents.get(thread_id) is not None

    def note_thread(self, thread_id: int, parent_id: int) -> None:
        """Remember a thread."""
        self._remember(thread_id, parent_id)

    async def _parent(self, channel_id: int) -> int | None:
        """Return the channel that a thread is in, None for what is no thread."""
        known = self._client.get_channel(channel_id)
        if isinstance(known, discord.Thread):
            self._remember(channel_id, known.parent_id)
            return known.parent_id
        if known is not None:
            return None
        if channel_id not in self._parents:
            self._remember(channel_id, await self._ask_parent(channel_id))
        return self._parents[channel_id]

    async def _ask_parent(self, channel_id: int) -> int | None:
        try:
            told = await self._api.channel(channel_id)
        except UserError:  # gone, or not for us
            return None
        return int(told["parent_id"]) if told["type"] in _THREADS else None

    def _remember(self, thread_id: int, parent_id: int | None) -> None:
        self._parents[thread_id] = parent_id
        self._parents.move_to_end(thread_id)
        if len(self._parents) > _REMEMBERED:
            self._parents.popitem(last=False)

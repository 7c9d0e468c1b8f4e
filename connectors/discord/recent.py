"""What we have in mind of the newest messages and marks; what is older is forgotten, and nothing depends on it."""

import time
from collections import OrderedDict
from collections.abc import Hashable
from typing import TypeVar

import discord

from bot.model import Principal
from connectors.discord.events import is_somebodys, mark_text, principal
from connectors.discord.history import Knows

_REMEMBERED = 2000
_TITLE = 80

Key = TypeVar("Key", bound=Hashable)
Kept = TypeVar("Kept")


class Recent:
    """Remembers by whom and where messages were said, how they begin, and what we said under which nonce."""

    def __init__(self) -> None:
        self._authors: OrderedDict[int, Principal] = OrderedDict()
        self._channels: OrderedDict[int, int] = OrderedDict()
        self._titles: OrderedDict[int, str] = OrderedDict()
        self._said: OrderedDict[str, int] = OrderedDict()
        self._marks: OrderedDict[str, str] = OrderedDict()
        self._gone: OrderedDict[str, str] = OrderedDict()

    def hear(self, message: discord.Message) -> None:
        """Note a message, our own ones too."""
        _keep(self._channels, message.id, message.channel.id)
        if message.nonce is not None:
            _keep(self._said, str(message.nonce), message.id)
        if is_somebodys(message):
            _keep(self._authors, message.id, principal(message.author.id, message.author.name))
            _keep(self._titles, message.id, title_of(message.content))

    def say(self, nonce: str, channel_id: int, message_id: int) -> None:
        """Note what we said."""
        _keep(self._said, nonce, message_id)
        _keep(self._channels, message_id, channel_id)

    def said(self, nonce: str) -> int | None:
        """Return the message that was said under a nonce."""
        return self._said.get(nonce)

    def channel(self, message_id: int) -> int | None:
        """Return the channel or thread that a message stands in."""
        return self._channels.get(message_id)

    def author(self, message_id: int) -> Principal | None:
        """Return who wrote a message."""
        return self._authors.get(message_id)

    def title(self, message_id: int) -> str | None:
        """Return how a message begins."""
        return self._titles.get(message_id)

    # -- marks have no ids ------------------------------------------------------------------------------

    async def put_mark(self, told: discord.RawReactionActionEvent, knows: Knows) -> str:
        """Return our name for a mark: the same when it is told again, another one when it was gone meanwhile.

        What an earlier process read was gone meanwhile, too: a new session tells of no mark that stands.
        """
        key = _key(told)
        if key not in self._marks:
            was_read = key not in self._gone and await knows([key])
            _keep(self._marks, key, key + (_ending() if was_read else self._gone.get(key, "")))
        return self._marks[key]

    def take_mark(self, told: discord.RawReactionActionEvent) -> str | None:
        """Return our name for a mark that is taken away, None when that was told before."""
        key = _key(told)
        mark_id = self._marks.pop(key, None)
        if mark_id is None and key in self._gone:
            return None
        _keep(self._gone, key, _ending())
        return mark_id or key


def title_of(text: str) -> str:
    """Return the beginning of what was said, as the title of a thread; empty when it says nothing."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return first if len(first) <= _TITLE else f"{first[: _TITLE - 1].rstrip()}…"


def _ending() -> str:
    """Return what tells a mark from the same one before it was gone."""
    return f":{time.time_ns():x}"


def _key(told: discord.RawReactionActionEvent) -> str:
    return f"{told.message_id}:{told.user_id}:{mark_text(told.emoji)}"


def _keep(kept: OrderedDict[Key, Kept], key: Key, value: Kept) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > _REMEMBERED:
        kept.popitem(last=False)

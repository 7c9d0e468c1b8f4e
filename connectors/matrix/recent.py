"""The newest events of our rooms, kept in mind: who wrote them, and which one is the last of its thread."""

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from typing import TypeVar

from bot.model import Inbound, InboundKind, OutboundMessage
from connectors.matrix.events import KIND

_REMEMBERED = 1000

Key = TypeVar("Key", bound=Hashable)


class Recent:
    """Remembers a thousand events and as many threads; what is older is forgotten, and nothing depends on it."""

    def __init__(self) -> None:
        self._authors: OrderedDict[str, str] = OrderedDict()
        self._ends: OrderedDict[tuple[str, str], str] = OrderedDict()

    def hear(self, events: Sequence[Inbound]) -> None:
        """Note what people said."""
        for event in events:
            _keep(self._authors, event.event_id, event.sender.id)
            if event.kind is InboundKind.TEXT and event.source.thread is not None:
                _keep(self._ends, (event.source.place, event.source.thread), event.event_id)

    def say(self, message: OutboundMessage, event_id: str) -> None:
        """Note what we said; an edit and a mark end no thread."""
        if message.to.thread is not None and message.replaced_event is None:
            _keep(self._ends, (message.to.place, message.to.thread), event_id)

    def mentioned(self, message: OutboundMessage) -> str | None:
        """Return the user id of the one whom a message answers, once: a long answer's first part calls, no other."""
        if message.reply_to is None or message.part > 0:
            return None
        whom = message.answers or self._authors.get(message.reply_to, "")
        platform, _, user_id = whom.partition(":")
        return user_id if platform == KIND else None

    def end_of_thread(self, message: OutboundMessage) -> str | None:
        """Return the last event known of the thread that a message is for."""
        return self._ends.get((message.to.place, message.to.thread or ""))


def _keep(kept: OrderedDict[Key, str], key: Key, value: str) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > _REMEMBERED:
        kept.popitem(last=False)

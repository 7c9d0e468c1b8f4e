"""Marks that people put on what stands in a card's thread, shown on the same in its other threads."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from bot.mail.mailbox import Mailbox
from bot.model import Address, Inbound, Letter, Message, MessageKind, Principal
from bot.people.reflections import (
    TAG,
    Reflections,
    Utterance,
    is_first,
    mark_shower,
    redaction_of,
    reflection_id,
)
from bot.ports import Offers
from bot.reply import Text


class SharedMarks:
    """People share one mark of ours: it stands from the first who puts it until the last takes it away.

    ``hears`` and ``joins`` are the mirror's. A mark that chooses an offer is no mark to be shown.
    """

    def __init__(
        self,
        reflections: Reflections,
        offers: Offers,
        mailbox: Mailbox,
        *,
        hears: Callable[[Principal, Address], bool],
        joins: Callable[[Address, Address], Awaitable[bool]],
    ) -> None:
        self._reflections = reflections
        self._offers = offers
        self._mailbox = mailbox
        self._hears = hears
        self._joins = joins

    async def put(self, event: Inbound) -> list[Letter]:
        """Put a person's mark on what shows the same elsewhere, unless it stands there or is a choice."""
        utterance = await self._reflections.find(event.source, event.stands_on or "")
        if utterance is None or await self._offers.find(event) is not None:
            return []
        shower, changed = await self._shower(event, event)
        if not changed or shower is None:
            return []
        messages: list[Message] = []
        for thread in utterance.others:
            if await self._joins(event.source, thread):
                messages += await self._marks_in(thread, event, utterance)
        return list(self._mailbox.seal(messages))

    async def _marks_in(
        self, thread: Address, event: Inbound, utterance: Utterance
    ) -> Sequence[Message]:
        mark = Message(
            id=reflection_id(event.id, thread),
            to=thread,
            kind=MessageKind.REACTION,
            blocks=(Text(event.text),),
            author=event.sender.id,
            cause=event.id,
            tag=TAG,
        )
        first = is_first(utterance, thread)
        if first and utterance.event_id is not None:
            return (replace(mark, reply_to=utterance.event_id),)
        marked = utterance.id if first else reflection_id(utterance.id, thread)
        return (replace(mark, replaces=marked),) if await self._reflections.parts(marked) else ()

    async def take_away(self, event: Inbound, mark: Inbound) -> list[Letter]:
        """Take a mark away when nobody is left who put it."""
        utterance = await self._reflections.find(mark.source, mark.stands_on or "")
        shower, changed = await self._shower(mark, event)
        if utterance is None or shower is None or not changed:
            return []
        first = replace(mark, event_id=shower)
        letters = []
        for thread in utterance.others:
            shown = reflection_id(first.id, thread)
            if await self._reflections.parts(shown):
                letters.append(self._mailbox.unsay(redaction_of(event.id, thread, shown), (0,)))
        return letters

    async def _shower(self, mark: Inbound, upto: Inbound) -> tuple[str | None, bool]:
        place, stands_on = mark.source, mark.stands_on or ""
        markings = await self._reflections.markings(place, stands_on, mark.text)
        return mark_shower(markings, upto.event_id, lambda who: self._hears(who, place))

"""Shows in each thread of a card what is said in its others, once each, whatever dies in between."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeVar

from bot.mail.mailbox import Mailbox
from bot.model import Address, Inbound, InboundKind, Letter, MessageKind, Principal
from bot.people.reflections import (
    Heard,
    Overheard,
    Reading,
    Reflections,
    Said,
    is_words,
)
from bot.people.shared_marks import SharedMarks
from bot.people.shared_words import SharedWords
from bot.persons import Persons
from bot.ports import Offers

_PAGE = 200
_LOOK = timedelta(seconds=1)
_WHOLE_EVERY = 30
"""Looks between two from the stored reading, for what was numbered long before it was committed; then it is moved."""

Item = TypeVar("Item", Heard, Said)


class Mirror:
    """The part ``mirror``.

    Every message of it has an id made from what it shows and where, so that reading a line twice says it once; what
    it says itself is never read. ``several`` says whether platforms meet in this daemon: where they do not, another
    one may show, and how far that has read is left to it. ``active`` says whether anything is to be shown. ``hears``
    says whether somebody's words are taken up in a place: others' are not carried anywhere. ``joins`` says whether
    what is said in one thread may be shown in another, or raises TransientError while nobody can know. ``persons``
    knows by which name people of a platform know somebody.
    """

    name = "mirror"

    def __init__(
        self,
        overheard: Overheard,
        reflections: Reflections,
        offers: Offers,
        mailbox: Mailbox,
        *,
        several: Callable[[], bool],
        active: Callable[[], bool],
        hears: Callable[[Principal, Address], bool],
        joins: Callable[[Address, Address], Awaitable[bool]],
        persons: Callable[[], Persons],
        look: timedelta = _LOOK,
    ) -> None:
        self._overheard = overheard
        self._reflections = reflections
        self._mailbox = mailbox
        self._several = several
        self._active = active
        self._hears = hears
        self._look = look
        self._words = SharedWords(reflections, mailbox, hears=hears, joins=joins, persons=persons)
        self._marks = SharedMarks(reflections, offers, mailbox, hears=hears, joins=joins)
        self._seen: set[tuple[type, int]] = set()
        self._lately: list[Reading] = []

    async def run(self, ready: Callable[[str], None]) -> None:
        """Show until cancelled, and lose nothing; TransientError when the database or a platform cannot be asked."""
        looks = 0
        while True:
            whole = looks % _WHOLE_EVERY == 0
            several = self._several()
            active = several and self._active()
            if active:
                await self._look_round(whole=whole or not self._lately)
            else:
                self._lately = []  # what is said meanwhile is shown nowhere
            ready("showing cards' threads in each other" if active else "nothing to show elsewhere")
            if whole and several:
                await self._overheard.settle()
            looks += 1
            await asyncio.sleep(self._look.total_seconds())

    async def _look_round(self, *, whole: bool) -> None:
        """Show what is new; what is in between the last two looks is read again, since it may have been committed late."""
        if whole:
            self._lately = [await self._overheard.reading()]
        since = self._lately[0]
        # Ours first: whatever caused it was stored before it, so no answer is shown ahead of its question.
        said = await _all(self._overheard.said, since.said)
        heard = await _all(self._overheard.heard, since.heard)
        if whole:
            self._seen &= {_key(one) for one in heard} | {_key(one) for one in said}
        await self._show_all(heard, said)
        newest = Reading(
            max([since.heard, *(one.position for one in heard)]),
            max([since.said, *(one.position for one in said)]),
        )
        self._lately = [self._lately[-1], newest]

    async def _show_all(self, heard: Sequence[Heard], said: Sequence[Said]) -> None:
        found: list[Heard | Said] = sorted([*heard, *said], key=lambda one: one.at)
        gone = {h.event.stands_on for h in heard if h.event.kind is InboundKind.REDACTION}
        for one in found:
            key = _key(one)
            if key in self._seen:
                continue
            await self._show(one, gone)
            self._seen.add(key)

    async def _show(self, one: Heard | Said, gone: set[str | None]) -> None:
        if isinstance(one, Heard):
            letters = await self._heard(one, gone)
        elif one.message.kind is MessageKind.MAIL:
            letters = await self._words.files(one)
        else:
            letters = await self._words.ours(one)
        if letters:
            await self._mailbox.deliver(letters)

    async def _heard(self, heard: Heard, gone: set[str | None]) -> list[Letter]:
        event = heard.event
        if event.kind is InboundKind.REDACTION:  # who may take away what, the platform has decided
            return await self._change(event)
        if event.is_private or event.event_id in gone:
            return []
        if not self._hears(event.sender, event.source):
            return []
        return await (self._words.theirs(heard) if is_words(event) else self._change(event))

    async def _change(self, event: Inbound) -> list[Letter]:
        """Follow an edit, a mark, or the taking away of either or of words."""
        if event.stands_on is None:
            return []
        if event.kind is InboundKind.REACTION:
            return await self._marks.put(event)
        utterance = await self._reflections.find(event.source, event.stands_on)
        if event.kind is InboundKind.EDIT:
            return [] if utterance is None else await self._words.edit(event, utterance)
        if utterance is None:
            mark = await self._reflections.marked(event.source, event.stands_on)
            return [] if mark is None else await self._marks.take_away(event, mark)
        return await self._words.take_away(event, utterance)


def _key(one: Heard | Said) -> tuple[type, int]:
    return type(one), one.position


async def _all(
    fetch: Callable[[int, int], Awaitable[Sequence[Item]]], position: int
) -> Sequence[Item]:
    """Return everything after a position, page by page."""
    found: list[Item] = []
    while True:
        page = await fetch(position, _PAGE)
        found += page
        if len(page) < _PAGE:
            return found
        position = page[-1].position

"""Shows in each thread of a card what is said in its threads on other platforms, once each, whatever dies in between."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from bot.enclosure import Attachment, size_text
from bot.files.uploads import upload_id
from bot.mail.mailbox import Mailbox
from bot.model import Address, Inbound, InboundKind, Letter, Message, MessageKind, Principal
from bot.people.reflections import (
    TAG,
    Heard,
    Overheard,
    Reading,
    Reflections,
    Said,
    Utterance,
    is_first,
    is_words,
    redaction_of,
    reflection_id,
)
from bot.people.shared_marks import SharedMarks
from bot.persons import Persons
from bot.ports import Offers
from bot.reply import Block, Markdown, Text

_PAGE = 200
_LOOK = timedelta(seconds=1)
_WHOLE_EVERY = 30
"""Looks between two from the stored reading, for what was numbered long before it was committed; then it is moved."""

Item = TypeVar("Item", Heard, Said)

_PLATFORMS = {"matrix": "Matrix", "discord": "Discord"}


class Mirror:
    """The part ``mirror``.

    Every message of it has an id made from what it shows and where, so that reading a line twice says it once; what it
    says itself is never read. ``hears`` says whether somebody's words are taken up in a place: others' are not
    carried anywhere. ``active`` says whether there is anything to show in anything; meanwhile it reads on. ``joins`` says whether what is said in one thread may be shown in another, or raises TransientError
    while nobody can know. ``persons`` knows by which name people of a platform know somebody.
    """

    name = "mirror"

    def __init__(
        self,
        overheard: Overheard,
        reflections: Reflections,
        offers: Offers,
        mailbox: Mailbox,
        *,
        active: Callable[[], bool],
        hears: Callable[[Principal, Address], bool],
        joins: Callable[[Address, Address], Awaitable[bool]],
        persons: Callable[[], Persons],
        look: timedelta = _LOOK,
    ) -> None:
        self._overheard = overheard
        self._reflections = reflections
        self._mailbox = mailbox
        self._active = active
        self._hears = hears
        self._joins = joins
        self._persons = persons
        self._look = look
        self._marks = SharedMarks(reflections, offers, mailbox, hears=hears, joins=joins)
        self._seen: set[tuple[type, int]] = set()
        self._lately: list[Reading] = []

    async def run(self, ready: Callable[[str], None]) -> None:
        """Show until cancelled; TransientError when the database is away or a platform cannot be asked, and nothing is lost."""
        looks = 0
        while True:
            whole = looks % _WHOLE_EVERY == 0
            active = self._active()
            if active:
                await self._look_round(whole=whole or not self._lately)
            else:
                self._lately = []  # what is said meanwhile is shown nowhere
            ready("showing cards' threads in each other" if active else "nothing to show elsewhere")
            if whole:
                await self._overheard.settle()
            looks += 1
            await asyncio.sleep(self._look.total_seconds())

    async def _look_round(self, *, whole: bool) -> None:
        """Show what is new; what is in between the last two looks is read again, since it may have been committed late."""
        if whole:
            self._lately = [await self._overheard.reading()]
        since = self._lately[0]
        heard = await _all(self._overheard.heard, since.heard)
        said = await _all(self._overheard.said, since.said)
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
            letters = await self._files(one)
        else:
            letters = await self._said(one)
        if letters:
            await self._mailbox.deliver(letters)

    async def _heard(self, heard: Heard, gone: set[str | None]) -> list[Letter]:
        event = heard.event
        if event.kind is InboundKind.REDACTION:  # who may take away what, the platform has decided
            return await self._change(event)
        if event.event_id in gone or not self._hears(event.sender, event.source):
            return []
        return await (self._words(heard) if is_words(event) else self._change(event))

    # -- what is said ----------------------------------------------------------------------------------

    async def _words(self, heard: Heard) -> list[Letter]:
        """Show a person's words under their name."""
        event = heard.event
        here = replace(event.source, thread=event.source.thread or event.event_id)
        messages = [
            Message(
                id=reflection_id(event.id, thread),
                to=thread,
                kind=MessageKind.ANSWER,
                blocks=self._spoken(event, thread),
                author=event.sender.id,
                cause=event.id,
                tag=TAG,
            )
            for thread in heard.others
            if await self._joins(here, thread)
        ]
        return list(self._mailbox.seal(messages))

    async def _files(self, mail: Said) -> list[Letter]:
        """Show the files that a person sent, each by itself, once they are kept."""
        author, origin = mail.message.author, mail.message.origin
        if origin is None or not self._hears(Principal(author, author), origin):
            return []
        threads = [thread for thread in mail.others if await self._joins(origin, thread)]
        return list(
            self._mailbox.seal(
                [
                    Message(
                        id=reflection_id(file.content or file.name, thread),
                        to=thread,
                        kind=MessageKind.ANSWER,
                        blocks=(),
                        author=author,
                        cause=mail.message.id,
                        tag=TAG,
                        files=(file,),
                    )
                    for thread in threads
                    for file in mail.message.files
                ]
            )
        )

    async def _said(self, said: Said) -> list[Letter]:
        """Show our own words as they are; an edit where what it edits is shown."""
        message, shown = said.message, []
        for thread in said.others:
            if not await self._joins(message.to, thread):
                continue
            replaces = None
            if message.replaces is not None:
                replaces = reflection_id(message.replaces, thread)
                if not await self._reflections.parts(replaces):
                    continue
            copy = replace(message, id=reflection_id(message.id, thread), to=thread, tag=TAG)
            reply_to = await self._answered(message, thread)
            shown.append(replace(copy, cause=message.id, replaces=replaces, reply_to=reply_to))
        return list(self._mailbox.seal(shown))

    async def _answered(self, message: Message, thread: Address) -> str | None:
        """Return the platform's id of what a message answers, as it stands in another thread."""
        if message.reply_to is None:
            return None
        utterance = await self._reflections.find(message.to, message.reply_to)
        if utterance is None:
            return None
        if is_first(utterance, thread):
            return utterance.event_id or await self._reflections.shown(utterance.id)
        return await self._reflections.shown(reflection_id(utterance.id, thread))

    def _spoken(self, event: Inbound, thread: Address) -> tuple[Block, ...]:
        name = self._persons().name_on(thread.kind, event.sender)
        platform = _PLATFORMS.get(event.source.kind, event.source.kind)
        files = [Text(_named(one)) for one in event.attachments]
        words = [Markdown(event.text)] if event.text.strip() else []
        return (Text(f"{name} ({platform}):"), *files, *words)

    # -- what changes ----------------------------------------------------------------------------------

    async def _change(self, event: Inbound) -> list[Letter]:
        """Follow an edit, a mark, or the taking away of either or of words."""
        if event.stands_on is None:
            return []
        if event.kind is InboundKind.REACTION:
            return await self._marks.put(event)
        utterance = await self._reflections.find(event.source, event.stands_on)
        if event.kind is InboundKind.EDIT:
            return [] if utterance is None else await self._edit(event, utterance)
        if utterance is None:
            mark = await self._reflections.marked(event.source, event.stands_on)
            return [] if mark is None else await self._marks.take_away(event, mark)
        return await self._take_away(event, utterance)

    async def _edit(self, event: Inbound, utterance: Utterance) -> list[Letter]:
        """Show the newest words in the place of those before; an edit counts from the author alone."""
        if utterance.sender is None or utterance.sender.id != event.sender.id:
            return []
        letters: list[Letter] = []
        for thread, copy_id, parts in await self._copies(utterance):
            edit = Message(
                id=reflection_id(event.id, thread),
                to=thread,
                kind=MessageKind.ANSWER,
                blocks=self._spoken(event, thread),
                author=event.sender.id,
                cause=event.id,
                tag=TAG,
                replaces=copy_id,
            )
            letters += self._mailbox.seal([edit])
            if parts > 1:  # the newest words are one event
                rest = redaction_of(f"{event.id} rest", thread, copy_id)
                letters.append(self._mailbox.unsay(rest, range(1, parts)))
        return letters

    async def _take_away(self, event: Inbound, utterance: Utterance) -> list[Letter]:
        """Take away what shows a person's words; ours that somebody removed in one place stay in the others."""
        if utterance.sender is None or utterance.place.kind != event.source.kind:
            return []
        copies = [*await self._copies(utterance), *await self._copies_of_files(utterance)]
        return [
            self._mailbox.unsay(
                redaction_of(f"{event.id} {copy_id}", thread, copy_id), range(parts)
            )
            for thread, copy_id, parts in copies
        ]

    async def _copies_of_files(self, utterance: Utterance) -> list[tuple[Address, str, int]]:
        """Return where the files of a person's words are shown elsewhere, as far as they were kept."""
        found = []
        for thread in utterance.others:
            for number in itertools.count():
                copy_id = reflection_id(upload_id(utterance.id, number), thread)
                if not (parts := await self._reflections.parts(copy_id)):
                    break
                found.append((thread, copy_id, parts))
        return found

    async def _copies(self, utterance: Utterance) -> list[tuple[Address, str, int]]:
        """Return where something is shown elsewhere, by which message, and in how many parts."""
        copies = [(thread, reflection_id(utterance.id, thread)) for thread in utterance.others]
        counted = [(thread, id, await self._reflections.parts(id)) for thread, id in copies]
        return [one for one in counted if one[2]]


def _key(one: Heard | Said) -> tuple[type, int]:
    return type(one), one.position


def _named(file: Attachment) -> str:
    size = "" if file.size is None else f", {size_text(file.size)}"
    return f"[file {file.name}, {file.media_type}{size}]"


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

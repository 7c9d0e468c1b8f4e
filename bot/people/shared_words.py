"""What is said in a card's thread, as it is shown in its other threads: words, files, edits, and what is taken back."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.enclosure import Attachment, size_text
from bot.files.uploads import upload_id
from bot.mail.mailbox import Mailbox
from bot.model import Address, Inbound, Letter, Message, MessageKind, Principal
from bot.people.reflections import (
    TAG,
    Heard,
    Reflections,
    Said,
    Utterance,
    is_first,
    redaction_of,
    reflection_id,
)
from bot.persons import Persons
from bot.reply import Block, Markdown, Text

_PLATFORMS = {"matrix": "Matrix", "discord": "Discord"}


class SharedWords:
    """Makes the letters that show something elsewhere; ``hears``, ``joins`` and ``persons`` are the mirror's."""

    def __init__(
        self,
        reflections: Reflections,
        mailbox: Mailbox,
        *,
        hears: Callable[[Principal, Address], bool],
        joins: Callable[[Address, Address], Awaitable[bool]],
        persons: Callable[[], Persons],
    ) -> None:
        self._reflections = reflections
        self._mailbox = mailbox
        self._hears = hears
        self._joins = joins
        self._persons = persons

    async def theirs(self, heard: Heard) -> list[Letter]:
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

    async def files(self, mail: Said) -> list[Letter]:
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

    async def ours(self, said: Said) -> list[Letter]:
        """Show our own words as they are; an edit where what it edits is shown.

        What answers somebody who is not heard there is carried nowhere: it may repeat their words.
        """
        message, shown = said.message, []
        if said.asked_by is not None and not self._hears(said.asked_by, message.to):
            return []
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

    async def edit(self, event: Inbound, utterance: Utterance) -> list[Letter]:
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

    async def take_away(self, event: Inbound, utterance: Utterance) -> list[Letter]:
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


def _named(file: Attachment) -> str:
    size = "" if file.size is None else f", {size_text(file.size)}"
    return f"[file {file.name}, {file.media_type}{size}]"

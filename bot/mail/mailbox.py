"""The one way out: everything we say is stored here first, rendered once, and delivered from there."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.connector import Capabilities
from bot.model import Address, Inbound, Letter, Message, MessageKind, OutboundMessage, derived_id
from bot.ports import Outbox
from bot.render.board import board_text
from bot.render.folding import Page, pages_of
from bot.reply import Block, Board, Code, Fields, Markdown, Offer, Table, Text, to_button

_UNKNOWN_PLACE = Capabilities(
    threads=False,
    html=False,
    reactions=False,
    edits=False,
    typing=False,
    max_bytes=4000,
    file_bytes=8 * 1024 * 1024,
)
"""What every platform that people write on from afar can show; the console is always known."""

_FORMS = (Fields, Table, Board)
"""Blocks that have a form of their own: all else is text in any case."""


class Mailbox:
    """Stores messages for delivery.

    ``capabilities`` answers for a connector's kind, None for one that is not running: what is said to it
    is kept until it is. ``posted`` is set whenever there may be something to deliver.
    """

    def __init__(self, outbox: Outbox, capabilities: Callable[[str], Capabilities | None]) -> None:
        self._outbox = outbox
        self._capabilities = capabilities
        self.posted = asyncio.Event()

    def thread_of(self, event: Inbound) -> Address:
        """Return where talk about an event goes on: in its thread, in one below it, or just in its place."""
        limits = self._capabilities(event.source.kind) or _UNKNOWN_PLACE
        if event.source.thread is not None or not limits.threads:
            return event.source
        return replace(event.source, thread=event.event_id)

    async def post(self, messages: Sequence[Message]) -> None:
        """Store messages; one with an id that is there already is left as it is."""
        await self.deliver(self.seal(messages))

    async def deliver(self, letters: Sequence[Letter]) -> None:
        """Store letters as they are, in this order and together."""
        await self._outbox.store(letters)
        self.posted.set()

    def seal(self, messages: Sequence[Message]) -> tuple[Letter, ...]:
        """Render messages into the events that they become; those are what is sent, however late.

        Offers become buttons below their message's last words where there are buttons, and marks on them where
        people can choose by marks.
        """
        return tuple(self._sealed(message) for message in messages)

    def unsay(self, message: Message, parts: Sequence[int]) -> Letter:
        """Return a redaction as a letter: it takes these parts of the message that it ``replaces`` away."""
        return Letter(message, tuple(_part(message, number, "") for number in parts))

    def _sealed(self, message: Message) -> Letter:
        if message.kind in {MessageKind.MAIL, MessageKind.REACTION}:
            bare = replace(_part(message, 0, plain_text(message)), files=message.files)
            return Letter(message, (bare,))
        limits = self._capabilities(message.to.kind) or _UNKNOWN_PLACE
        shown = [one for one in message.offers if limits.buttons or not one.only_button]
        kept = tuple(one for one in shown if not one.only_button)
        parts = self._parts(replace(message, offers=kept), limits)
        if limits.buttons and shown:
            parts = (*parts[:-1], replace(parts[-1], buttons=tuple(map(to_button, shown))))
        return Letter(replace(message, offers=kept), parts)

    def _parts(self, message: Message, limits: Capabilities) -> tuple[OutboundMessage, ...]:
        offers = message.offers if limits.choices and not limits.buttons else ()
        pages = pages_of(message, _said(offers), limits)
        said = [_said_on(message, number, page, limits) for number, page in enumerate(pages)]
        blocks = (*message.blocks, *_said(offers))
        if limits.embeds and len(said) == 1 and any(isinstance(one, _FORMS) for one in blocks):
            said = [replace(said[0], blocks=blocks)]
        marks = [_part(message, number, one.mark) for number, one in enumerate(offers, len(said))]
        return (*said, *(_below(mark) for mark in marks))


def plain_text(message: Message) -> str:
    """Return a message's words without any form: what an agent gets to read."""
    lines: list[str] = []
    for block in message.blocks:
        match block:
            case Text(text) | Markdown(text) | Code(text):
                lines.append(text)
            case Fields(pairs):
                lines.extend(f"{name}: {value}" for name, value in pairs)
            case Table(columns, rows):
                lines.extend(" | ".join(row) for row in (columns, *rows))
            case Board():
                lines.append(board_text(block))
    return "\n".join(lines)


def _said(offers: Sequence[Offer]) -> tuple[Block, ...]:
    """Return in words what each mark does; those below it stand there to be tapped."""
    choices = " · ".join(f"{offer.mark} {offer.says}" for offer in offers)
    return (Text(f"One tap chooses: {choices}"),) if offers else ()


def _said_on(message: Message, number: int, page: Page, limits: Capabilities) -> OutboundMessage:
    html = page.words.html if limits.html and page.words.text else None
    part = _part(message, number, page.words.text, html)
    return part if page.file is None else replace(part, files=(page.file,))


def _below(mark: OutboundMessage) -> OutboundMessage:
    """Return a part as a mark on its message's words, which are not known on the platform yet."""
    return replace(mark, kind=MessageKind.REACTION, reply_to=None, replaces=None)


def _part(message: Message, number: int, text: str, html: str | None = None) -> OutboundMessage:
    return OutboundMessage(
        message_id=message.id,
        part=number,
        transaction_id=derived_id("transaction", message.id, str(number)),
        to=message.to,
        kind=message.kind,
        text=text,
        html=html,
        reply_to=message.reply_to,
        author=message.author,
        tag=message.tag,
        queueing=message.queueing,
        replaces=message.replaces,
    )

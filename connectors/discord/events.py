"""What people's doings mean: what the library tells us in, an Inbound out, or nothing.

Source: Discord's documentation, "Message", "Gateway Events", "Snowflakes". An id says when something was said, by
Discord's clock; ids only grow.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import discord

from bot.enclosure import Attachment
from bot.model import Address, Inbound, InboundKind, Principal
from bot.render.markup import storable
from connectors.discord.client import KIND

_ORDINARY = frozenset({discord.MessageType.default, discord.MessageType.reply})
_UNKNOWN_TYPE = "application/octet-stream"
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")


def principal(user_id: int, name: str) -> Principal:
    """Return the principal of an account; a name is for people to read, and decides nothing."""
    return Principal(f"{KIND}:{user_id}", storable(name))


def is_somebodys(message: discord.Message) -> bool:
    """Return whether a person wrote it: no bot, no webhook, and no note of Discord's own."""
    return not message.author.bot and message.webhook_id is None and message.type in _ORDINARY


def spoken(message: discord.Message, place: Address, own_id: int) -> Inbound | None:
    """Return what somebody said, None when it is not for us to read or says nothing."""
    if not is_somebodys(message):
        return None
    text, attachments = _words(message, own_id), _attachments(message)
    if not (text or attachments):
        return None
    return Inbound(
        event_id=str(message.id),
        source=place,
        sender=principal(message.author.id, message.author.name),
        text=text,
        sent_at=message.created_at,
        attachments=attachments,
    )


def edited(message: discord.Message, place: Address, own_id: int) -> Inbound | None:
    """Return that somebody said it anew; None for what Discord found out by itself, such as a link's picture."""
    if message.edited_at is None or not is_somebodys(message):
        return None
    text = _words(message, own_id)
    if not (text or message.attachments):
        return None
    return Inbound(
        event_id=edit_id(message.id, message.edited_at),
        source=place,
        sender=principal(message.author.id, message.author.name),
        text=text,
        sent_at=message.edited_at,
        kind=InboundKind.EDIT,
        stands_on=str(message.id),
    )


def edit_id(message_id: int, edited_at: datetime) -> str:
    """Return our name for an edit, which has none of Discord's: the same whenever it is read."""
    microseconds = int(edited_at.timestamp() * 1_000_000)
    return f"{message_id}:edited:{microseconds}"


def deleted(message_id: int, place: Address, author: Principal) -> Inbound:
    """Return that a message is gone. Discord does not say by whose hand; it has seen to it that this one may."""
    return Inbound(
        event_id=f"{message_id}:gone",
        source=place,
        sender=author,
        text="",
        sent_at=datetime.now(UTC),
        kind=InboundKind.REDACTION,
        stands_on=str(message_id),
    )


def marked(told: discord.RawReactionActionEvent, mark_id: str, place: Address) -> Inbound:
    """Return that somebody put a mark on a message."""
    name = told.member.name if told.member is not None else str(told.user_id)
    return Inbound(
        event_id=mark_id,
        source=place,
        sender=principal(told.user_id, name),
        text=mark_text(told.emoji),
        sent_at=datetime.now(UTC),
        kind=InboundKind.REACTION,
        stands_on=str(told.message_id),
    )


def unmarked(told: discord.RawReactionActionEvent, mark_id: str, place: Address) -> Inbound:
    """Return that somebody took a mark away."""
    return Inbound(
        event_id=f"{mark_id}:gone",
        source=place,
        sender=principal(told.user_id, str(told.user_id)),
        text="",
        sent_at=datetime.now(UTC),
        kind=InboundKind.REDACTION,
        stands_on=mark_id,
    )


def mark_text(emoji: discord.PartialEmoji) -> str:
    """Return a mark as people read it; a server's own one between colons, so that it passes for no other."""
    return storable(f":{emoji.name}:" if emoji.id is not None else emoji.name)


def _words(message: discord.Message, own_id: int) -> str:
    """Return the words without a call of ours in front, and with people by their names."""
    text = re.sub(rf"\A\s*<@!?{own_id}>\s*", "", message.content)
    for user in message.mentions:
        text = re.sub(rf"<@!?{user.id}>", f"@{user.name}".replace("\\", r"\\"), text)
    return storable(text)


def _attachments(message: discord.Message) -> tuple[Attachment, ...]:
    return tuple(_attachment(message, file) for file in message.attachments)


def _attachment(message: discord.Message, file: discord.Attachment) -> Attachment:
    """Return a file as it is told of. Its address lasts a day, so the message is what it is found by."""
    word = (file.content_type or "").partition(";")[0].strip().lower()
    return Attachment(
        name=storable(_name(file)),
        media_type=word if _MEDIA_TYPE.fullmatch(word) else _UNKNOWN_TYPE,
        size=file.size,
        reference={
            "channel": str(message.channel.id),
            "message": str(message.id),
            "attachment": str(file.id),
        },
    )


def _name(file: discord.Attachment) -> str:
    """Return the name that a file had: Discord tidies it, and keeps the former one as its title."""
    if not file.title:
        return file.filename
    ending = file.filename.rpartition(".")[2] if "." in file.filename else ""
    return f"{file.title}.{ending}" if ending else file.title


def newest(ids: Sequence[int | None]) -> int:
    """Return the newest of some ids, 0 when there is none."""
    return max((one for one in ids if one is not None), default=0)

"""What we say, as Matrix event content.

Source: Matrix client-server API, "m.room.message", "Annotations and reactions", "Event replacements",
"Threading", "User and room mentions"; spec 5-real-parts, "Matrix".
"""

import json
from dataclasses import dataclass
from functools import partial
from typing import Any

from bot.errors import UserError
from bot.model import MessageKind, OutboundMessage
from connectors.matrix.attachments import file_content
from connectors.matrix.events import MESSAGE, REACTION, clean

MAX_BYTES = 34 * 1024
"""Of one event's text and markup together: an event may have 65,536 bytes, of which encryption costs a quarter and
JSON escapes some."""

EVENT_LIMIT = 63_000
"""Bytes of content that still leave room for what the homeserver adds around it."""

SEALED_LIMIT = 47_500
"""Bytes of content that still leave that room once they are encrypted and written in Base64."""

_OWN_WORDS = frozenset({MessageKind.REPLY, MessageKind.NOTICE, MessageKind.PROGRESS})


@dataclass(frozen=True, slots=True)
class WireEvent:
    """An event ready to be sent."""

    type: str
    content: dict[str, Any]


def to_wire(
    message: OutboundMessage,
    mentioned: str | None = None,
    end: str | None = None,
    where: dict[str, Any] | None = None,
    *,
    limit: int = EVENT_LIMIT,
) -> WireEvent:
    """Return the event of a message; ``mentioned`` is the user id of the one who is answered, and of nobody else.

    ``end`` is the last event known of the message's thread: what is answered is quoted there only when something
    came in between.

    ``where`` says where the message's file was uploaded to (``Media.put``), if it has one.

    The bot's own words are notices, so that no other bot answers them; others' words are text. Markup that would make
    the content larger than ``limit`` bytes is left out, since the plain text says the same. Raises UserError when
    even the text is too large, or a reaction has nothing to stand on.
    """
    if message.kind is MessageKind.REACTION:
        return WireEvent(REACTION, _annotation(message))
    content = _words(message, where)
    content["m.mentions"] = {"user_ids": [mentioned]} if mentioned else {}
    form = _edit if message.replaced_event else partial(_related, end=end)
    if message.html is not None and (message.text or not message.files):
        rich = {"format": "org.matrix.custom.html", "formatted_body": clean(message.html)}
        if _size(form(message, {**content, **rich})) <= limit:
            content |= rich
    content = form(message, content)
    if _size(content) > limit:
        raise UserError(
            f"the message has {_size(content)} bytes; a Matrix event takes {limit} there",
            code="M_TOO_LARGE",
        )
    return WireEvent(MESSAGE, content)


def _words(message: OutboundMessage, where: dict[str, Any] | None) -> dict[str, Any]:
    if where is not None:
        return file_content(message.files[0], clean(message.text), where)
    msgtype = "m.notice" if message.kind in _OWN_WORDS else "m.text"
    return {"msgtype": msgtype, "body": clean(message.text)}


def _edit(message: OutboundMessage, content: dict[str, Any]) -> dict[str, Any]:
    """Return the event that takes another's place; it mentions nobody again, and stays in that one's thread.

    Who cannot show edits shows the text with a star, as the specification says.
    """
    content = content | {"m.mentions": {}}
    starred: dict[str, Any] = {
        key: f"* {content[key]}" for key in ("body", "formatted_body") if key in content
    }
    relation = {"rel_type": "m.replace", "event_id": message.replaced_event}
    return {**content, **starred, "m.new_content": content, "m.relates_to": relation}


def _related(message: OutboundMessage, content: dict[str, Any], end: str | None) -> dict[str, Any]:
    relation = _relation(message, end)
    return content | {"m.relates_to": relation} if relation else content


def _annotation(message: OutboundMessage) -> dict[str, Any]:
    if not message.reply_to:
        raise UserError("a reaction needs the event that it stands on; reply_to is empty")
    key = clean(message.text)
    return {"m.relates_to": {"rel_type": "m.annotation", "event_id": message.reply_to, "key": key}}


def _relation(message: OutboundMessage, end: str | None) -> dict[str, Any]:
    """Return how a message stands to others.

    In a thread every message answers something, so that clients without threads show what belongs together; it is a
    real answer, to be quoted, when it is not to the thread's last message or its root (``is_falling_back``). Progress
    answers nothing: nobody is to take it for the answer that they wait for.
    """
    root, answered = message.to.thread, message.reply_to
    if root is not None and message.kind is MessageKind.PROGRESS:
        return {"rel_type": "m.thread", "event_id": root}
    if root is not None:
        quoted = answered not in {None, root, end} and end is not None
        return {
            "rel_type": "m.thread",
            "event_id": root,
            "is_falling_back": not quoted,
            "m.in_reply_to": {"event_id": answered or end or root},
        }
    return {"m.in_reply_to": {"event_id": answered}} if answered else {}


def _size(content: dict[str, Any]) -> int:
    """Return the bytes of content in canonical JSON (Matrix specification, appendix "Canonical JSON")."""
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    return len(text.encode("utf-8"))

"""What people's events mean: a Matrix event in, an Inbound out, or nothing.

Source: Matrix client-server API, "Instant messaging", "Rich replies", "Event replacements", "Threading",
"Annotations and reactions", "Redactions".
"""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.enclosure import Attachment
from bot.model import Address, Inbound, InboundKind, Principal
from connectors.matrix.answers import RoomEvent
from connectors.matrix.attachments import FILE_TYPES, caption_of, read_attachment

KIND = "matrix"
MESSAGE = "m.room.message"
REACTION = "m.reaction"
MEMBER = "m.room.member"
ENCRYPTION = "m.room.encryption"
REDACTION = "m.room.redaction"
TOMBSTONE = "m.room.tombstone"
CREATE = "m.room.create"
ENCRYPTED = "m.room.encrypted"
MEGOLM = "m.megolm.v1.aes-sha2"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_MS = 253_402_300_799_000
_REPLY_MARKUP = re.compile(r"\A\s*<mx-reply>.*?</mx-reply>", re.DOTALL)


def principal(user_id: str) -> Principal:
    """Return the principal of a Matrix user; its name is the id's own word, which nobody can borrow."""
    return Principal(f"{KIND}:{user_id}", user_id.removeprefix("@").partition(":")[0] or user_id)


def is_own_join(event: RoomEvent, user_id: str) -> bool:
    """Return whether this is the moment we came into the room (a changed display name is not)."""
    ours = event.type == MEMBER and event.state_key == user_id
    return (
        ours and event.content.get("membership") == "join" and _membership_before(event) != "join"
    )


def is_own_exit(event: RoomEvent, user_id: str) -> bool:
    """Return whether this is the moment we were out of the room, by whosever will (the end of a ban is not)."""
    ours = event.type == MEMBER and event.state_key == user_id
    out = event.content.get("membership") in {"leave", "ban"}
    return ours and out and _membership_before(event) in {"join", None}


def _membership_before(event: RoomEvent) -> object:
    unsigned = event.unsigned if isinstance(event.unsigned, dict) else {}
    return _mapping(unsigned.get("prev_content")).get("membership")


def to_inbound(event: RoomEvent, room_id: str, user_id: str) -> Inbound | None:
    """Return what somebody wrote or marked, or None when it is not for us to read.

    Our own words and marks, notices (other bots), what was redacted and malformed events are None.
    The text is free of NUL, of half surrogates and of a quoted message in front of a reply.
    """
    if event.state_key is not None or event.sender == user_id:
        return None
    readers = {MESSAGE: _message, REACTION: _reaction, REDACTION: _redaction}
    read = readers.get(event.type)
    return None if read is None else read(event, room_id)


def _reaction(event: RoomEvent, room_id: str) -> Inbound | None:
    relation = _mapping(event.content.get("m.relates_to"))
    stands_on, key = relation.get("event_id"), relation.get("key")
    if relation.get("rel_type") != "m.annotation":
        return None
    if not isinstance(stands_on, str) or not isinstance(key, str) or not (stands_on and key):
        return None
    return Inbound(
        event_id=event.event_id,
        source=Address(KIND, room_id),
        sender=principal(event.sender),
        text=clean(key),
        sent_at=_moment(event.origin_server_ts),
        kind=InboundKind.REACTION,
        stands_on=clean(stands_on),
    )


def _redaction(event: RoomEvent, room_id: str) -> Inbound | None:
    """Return that somebody took something back; the server has seen to it that this one may.

    What is redacted is named in the content since room version 11, beside it before.
    """
    redacted = event.content.get("redacts", event.redacts)
    if not isinstance(redacted, str) or not redacted:
        return None
    return Inbound(
        event_id=event.event_id,
        source=Address(KIND, room_id),
        sender=principal(event.sender),
        text="",
        sent_at=_moment(event.origin_server_ts),
        kind=InboundKind.REDACTION,
        stands_on=clean(redacted),
    )


def _message(event: RoomEvent, room_id: str) -> Inbound | None:
    content = event.content
    relation = _mapping(content.get("m.relates_to"))
    replaced = relation.get("rel_type") == "m.replace"
    msgtype = content.get("msgtype")
    if replaced:
        content = _mapping(content.get("m.new_content")) or content
    body, attachments = _said(content, msgtype)
    if body is None:
        return None
    source = _mapping(content.get("m.relates_to")) if replaced else relation
    return Inbound(
        event_id=event.event_id,
        source=Address(KIND, room_id, _thread(source)),
        sender=principal(event.sender),
        text=_own_words(body, answers=_answers(source)),
        sent_at=_moment(event.origin_server_ts),
        kind=InboundKind.EDIT if replaced else InboundKind.TEXT,
        stands_on=_edited(relation) if replaced else None,
        attachments=() if replaced else attachments,
    )


def _edited(relation: dict[str, Any]) -> str | None:
    original = relation.get("event_id")
    return clean(original) if isinstance(original, str) and original else None


def _said(content: dict[str, Any], msgtype: object) -> tuple[str | None, tuple[Attachment, ...]]:
    """Return the words of a message and its files; no words (None) when it is nothing for us."""
    if msgtype == "m.text":
        body = content.get("body")
        return (body if isinstance(body, str) else None), ()
    attachment = read_attachment(content) if msgtype in FILE_TYPES else None
    if attachment is None:
        return None, ()
    return caption_of(content), (replace(attachment, name=clean(attachment.name)),)


def clean(text: str) -> str:
    """Return text that every store and every homeserver takes: no NUL, no half surrogate."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _thread(relation: dict[str, Any]) -> str | None:
    root = relation.get("event_id")
    if relation.get("rel_type") == "m.thread" and isinstance(root, str) and root:
        return root
    return None


def _answers(relation: dict[str, Any]) -> bool:
    return bool(_mapping(relation.get("m.in_reply_to")).get("event_id"))


def _own_words(body: str, *, answers: bool) -> str:
    """Drop the quote that older clients put in front of a reply (removed from the spec in v1.13)."""
    body = clean(body)
    if not answers:
        return body
    body = _REPLY_MARKUP.sub("", body)
    if not body.startswith("> <@"):
        return body
    lines = body.split("\n")
    quoted = next((i for i, line in enumerate(lines) if not line.startswith(">")), len(lines))
    return "\n".join(lines[quoted:]).removeprefix("\n")


def _moment(milliseconds: object) -> datetime:
    """Return when the sender's server says it was sent; a senseless value becomes now."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int):
        return datetime.now(UTC)
    if not 0 <= milliseconds <= _LATEST_MS:
        return datetime.now(UTC)
    return _EPOCH + timedelta(milliseconds=milliseconds)


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
